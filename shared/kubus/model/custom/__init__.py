"""Custom resources: kinds that a CustomResourceDefinition brings while the cluster runs.

    definitions   from a CustomResourceDefinition to the kinds that it serves
    pruning       what a schema does not name is dropped
    defaulting    what a schema has defaults for is filled in
    values        whether a value fits its schema: types, bounds, formats, unions
    rules         whether it keeps the rules that its schema states in CEL
    statements    whether those rules compile, and what they may cost
    structural    whether a schema is one that all of this can be done with
    columns       what `kubectl get` prints
    acceptance    which names a definition gets, and the conditions that say so

A schema is the `openAPIV3Schema` of a version, a plain dict, as the definition has it. Everything here is pure; what is
served, converted and deleted when is the apiserver's matter (`kubus_apiserver.customresources`).

https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
"""
