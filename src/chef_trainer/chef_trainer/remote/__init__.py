"""Sets of episodes on other machines and in object stores: s3://, gs://, file:// and the like."""
