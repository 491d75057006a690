"""The models that ship: made by `training/`, read by `linear`."""
