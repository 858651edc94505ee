"""The send: plans, claims, delivers, records. The only floor that changes a delivery's state."""
