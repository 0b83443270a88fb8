"""The pages of the configuration: lists and forms of documents, their history, flows and prompts."""
