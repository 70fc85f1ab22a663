"""One machine instead of AWS and a cloud: never shipped to Lambda, never imported by chalicelib."""
