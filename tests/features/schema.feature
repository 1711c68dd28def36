Feature: Schemas
  As an implementer of the workflow DSL
  I want to ensure that data is validated against its schemas
  So that my implementation conforms to the expected behavior

  # Tests the schema of a workflow's input
  Scenario: Input Schema
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: input-schema
      version: '1.0.0'
    input:
      schema:
        document:
          type: object
          required: [ id ]
    do:
      - pass:
          set:
            id: ${ .id }
    """
    And given the workflow input is:
    """yaml
    name: Ada
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    type: https://serverlessworkflow.io/spec/1.0.0/errors/validation
    status: 400
    """

  # Tests that data which fits goes on
  Scenario: Fitting Input
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: input-schema-fits
      version: '1.0.0'
    input:
      schema:
        document:
          type: object
          required: [ id ]
    do:
      - pass:
          set:
            id: ${ .id }
    """
    And given the workflow input is:
    """yaml
    id: 1
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    id: 1
    """

  # Tests the schema of a task's input, which is validated before the task runs
  Scenario: Task Input Schema
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: task-input-schema
      version: '1.0.0'
    do:
      - pass:
          input:
            schema:
              document:
                type: object
                properties:
                  id:
                    type: integer
          set:
            id: ${ .id }
    """
    And given the workflow input is:
    """yaml
    id: one
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    type: https://serverlessworkflow.io/spec/1.0.0/errors/validation
    status: 400
    instance: /do/0/pass
    """

  # Tests the schema of a task's output, which is validated after it has been transformed
  Scenario: Task Output Schema
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: task-output-schema
      version: '1.0.0'
    do:
      - pass:
          set:
            id: 1
          output:
            schema:
              document:
                type: string
            as: .id
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    type: https://serverlessworkflow.io/spec/1.0.0/errors/validation
    status: 400
    instance: /do/0/pass
    """

  # Tests the schema of a workflow's output
  Scenario: Output Schema
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: output-schema
      version: '1.0.0'
    output:
      schema:
        document:
          type: array
      as: .items
    do:
      - pass:
          set:
            items: [ 1, 2 ]
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    [ 1, 2 ]
    """
