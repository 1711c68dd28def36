Feature: Run Task
  As an implementer of the workflow DSL
  I want to ensure that workflows can run other workflows
  So that my implementation conforms to the expected behavior

  # Tests that the output of the other workflow is the task's
  Scenario: Run A Workflow
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: run-workflow
      version: '1.0.0'
    do:
      - other:
          run:
            workflow:
              namespace: default
              name: run-child
              version: '1.0.0'
              input:
                name: ${ .first }
    """
    And given another workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: run-child
      version: '1.0.0'
    input:
      schema:
        document:
          type: object
          required: [ name ]
    do:
      - greet:
          set:
            greeting: ${ "Hello, " + .name }
    """
    And given the workflow input is:
    """yaml
    first: Ada
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    greeting: Hello, Ada
    """

  # Tests that the error of the other workflow is the task's
  Scenario: Run A Workflow That Faults
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: run-workflow-faults
      version: '1.0.0'
    do:
      - careful:
          try:
            - other:
                run:
                  workflow:
                    namespace: default
                    name: run-child
                    version: '1.0.0'
                    input: {}
          catch:
            errors:
              with:
                type: https://serverlessworkflow.io/spec/1.0.0/errors/validation
            do:
              - report:
                  set:
                    status: ${ $error.status }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    status: 400
    """

  # Tests that a workflow whose end is not awaited lets the data through
  Scenario: Run A Workflow Without Waiting
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: run-workflow-no-await
      version: '1.0.0'
    do:
      - other:
          run:
            await: false
            workflow:
              namespace: default
              name: run-child
              version: '1.0.0'
              input:
                name: Ada
    """
    And given the workflow input is:
    """yaml
    first: Ada
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    first: Ada
    """
