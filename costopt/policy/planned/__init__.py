"""What a plan would change, read before it is done: `terraform show -json`, and what it costs.

plan.json -> terraform.read (changes) -> contents.contents (machines and disks) -> priced.priced (a
month before and after) -> table.changes (what policies over `change` judge).
"""
