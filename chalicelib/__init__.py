"""DTrove: databases as a service on OpenStack, without a guest agent and without servers."""
