"""What the resources of `/api/v2` share: how routes are declared and described, the shapes of bodies, what is read."""
