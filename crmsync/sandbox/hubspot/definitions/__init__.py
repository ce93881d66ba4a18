"""What a portal is made of before there is a record: object types, properties, pipelines, owners, association types."""
