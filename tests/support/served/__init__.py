"""A server with OpenAI's interface whose manners and watts are known."""
