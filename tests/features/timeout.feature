Feature: Timeout
  As an implementer of the workflow DSL
  I want to ensure that tasks and workflows that take too long are ended
  So that my implementation conforms to the expected behavior

  # Tests inline timeouts of tasks
  Scenario: Task Timeout
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: task-timeout
      version: '1.0.0'
    do:
      - slow:
          wait: PT1H
          timeout:
            after:
              milliseconds: 20
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    type: https://serverlessworkflow.io/spec/1.0.0/errors/timeout
    status: 408
    instance: /do/0/slow
    """

  # Tests reusable timeouts
  # Tests that what is inside a task that timed out is ended
  Scenario: Reusable Task Timeout
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: reusable-task-timeout
      version: '1.0.0'
    use:
      timeouts:
        short:
          after: PT0.02S
    do:
      - slow:
          timeout: short
          do:
            - inside:
                wait: PT1H
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    type: https://serverlessworkflow.io/spec/1.0.0/errors/timeout
    status: 408
    instance: /do/0/slow
    """

  # Tests that the timeout of a task can be caught
  Scenario: Caught Task Timeout
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: caught-task-timeout
      version: '1.0.0'
    do:
      - careful:
          try:
            - slow:
                wait: PT1H
                timeout:
                  after: PT0.02S
          catch:
            errors:
              with:
                type: https://serverlessworkflow.io/spec/1.0.0/errors/timeout
            do:
              - instead:
                  set:
                    late: ${ $error.instance }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    late: /do/0/careful/try/0/slow
    """

  # Tests timeouts of workflows
  Scenario: Workflow Timeout
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: workflow-timeout
      version: '1.0.0'
    timeout:
      after:
        milliseconds: 20
    do:
      - slow:
          wait: PT1H
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    type: https://serverlessworkflow.io/spec/1.0.0/errors/timeout
    status: 408
    """

  # Tests that a task which is done in time is not ended
  Scenario: Task In Time
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: task-in-time
      version: '1.0.0'
    do:
      - quick:
          timeout:
            after: PT1H
          do:
            - inside:
                wait: PT0.01S
    """
    And given the workflow input is:
    """yaml
    name: Ada
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    name: Ada
    """
