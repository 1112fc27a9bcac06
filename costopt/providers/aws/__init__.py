"""Amazon Web Services: accounts and regions through boto3 (docs/providers/aws.md)."""
