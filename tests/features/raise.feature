Feature: Raise Task
  As an implementer of the workflow DSL
  I want to ensure that workflows can raise errors
  So that my implementation conforms to the expected behavior

  # Tests inline errors, whose parts may be expressions
  Scenario: Raise Inline Error
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: raise-inline
      version: '1.0.0'
    do:
      - refuse:
          raise:
            error:
              type: https://example.com/errors/refused
              status: 418
              title: Refused
              detail: ${ .name + " may not" }
    """
    And given the workflow input is:
    """yaml
    name: Ada
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    type: https://example.com/errors/refused
    status: 418
    title: Refused
    detail: Ada may not
    instance: /do/0/refuse
    """

  # Tests reusable errors
  Scenario: Raise Reusable Error
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: raise-reusable
      version: '1.0.0'
    use:
      errors:
        refused:
          type: https://example.com/errors/refused
          status: 418
    do:
      - refuse:
          raise:
            error: refused
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    type: https://example.com/errors/refused
    status: 418
    instance: /do/0/refuse
    """
