"""IVR: the flow document and its interpreter."""
