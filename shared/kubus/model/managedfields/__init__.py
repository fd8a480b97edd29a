"""Who owns which field: managedFields and server-side apply.

Every write leaves in `metadata.managedFields` which fields its manager has set. An apply says what its manager wants,
and only that; the server merges it by the schema, takes away what the manager no longer says, and refuses to change
what another manager owns. The rules are those of structured-merge-diff and of apimachinery's managedfields:

    fieldsets          sets of fields, kept as the very FieldsV1 that objects carry
    types              what a merge has to know of a schema: leaves, fields, lists with keys
    schema_types       such types from the built-in schema
    structural_types   and from the schema of a custom resource
    comparing          what differs between two objects
    merging            a live object and a configuration, made one
    pruning            what an object has, and what is left when fields go
    checking           whether a configuration fits its type
    managers           the entries of managedFields: read, written, sorted, capped
    updating           what a write does to the managers; an apply
    refusals           conflicts, as they are said
    last_applied       the way from client-side apply to server-side apply

All of it is pure: objects and times go in, objects and entries come out, and nothing that is given is edited.

https://kubernetes.io/docs/reference/using-api/server-side-apply/
"""
