"""Making what the detectors learn from, and the model that they ship: nothing here runs in the gate."""
