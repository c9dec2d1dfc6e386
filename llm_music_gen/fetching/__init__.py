"""Gets models, soundfonts and voices from the network, and only when somebody asks: resumable, checked, never half-written."""
