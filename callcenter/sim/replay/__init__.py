"""A recorded day run once more through the production core, in virtual time, with the same or another configuration."""
