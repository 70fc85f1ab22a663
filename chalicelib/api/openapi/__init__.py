"""The OpenAPI document: what the routes offer, a noun a file, and the document that is made of it."""
