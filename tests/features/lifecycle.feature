Feature: Lifecycle Events
  As an implementer of the workflow DSL
  I want to ensure that what happens to workflows and tasks is published as events
  So that my implementation conforms to the expected behavior

  # Tests that the events of a workflow and of its tasks are published, in the order in which things happen
  # Tests that they carry the data that the reference has for them
  Scenario: Complete
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: lifecycle-complete
      version: '1.0.0'
    do:
      - setShape:
          set:
            shape: circle
      - never:
          if: ${ false }
          set:
            shape: square
    """
    When the workflow is executed
    Then the workflow should complete
    And the lifecycle events should be:
    """yaml
    - type: io.serverlessworkflow.workflow.started.v1
      data:
        definition:
          namespace: default
          name: lifecycle-complete
    - type: io.serverlessworkflow.task.created.v1
      data:
        task: /do/0/setShape
    - type: io.serverlessworkflow.task.started.v1
      data:
        task: /do/0/setShape
    - type: io.serverlessworkflow.task.completed.v1
      data:
        task: /do/0/setShape
    - type: io.serverlessworkflow.workflow.completed.v1
    """

  # Tests that an error is told with the task that it comes from, and with the workflow that it ends
  Scenario: Fault
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: lifecycle-fault
      version: '1.0.0'
    do:
      - refuse:
          raise:
            error:
              type: https://example.com/errors/refused
              status: 403
              title: Refused
    """
    When the workflow is executed
    Then the workflow should fault
    And the lifecycle events should be:
    """yaml
    - type: io.serverlessworkflow.workflow.started.v1
    - type: io.serverlessworkflow.task.created.v1
    - type: io.serverlessworkflow.task.started.v1
    - type: io.serverlessworkflow.task.faulted.v1
      data:
        task: /do/0/refuse
        error:
          type: https://example.com/errors/refused
          status: 403
          title: Refused
          instance: /do/0/refuse
    - type: io.serverlessworkflow.workflow.faulted.v1
      data:
        error:
          status: 403
          instance: /do/0/refuse
    """

  # Tests that a retry is told of the task that tries, and that what it tries begins anew
  Scenario: Retry
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: lifecycle-retry
      version: '1.0.0'
    do:
      - careful:
          try:
            - getPet:
                call: http
                with:
                  method: get
                  endpoint: https://petstore.swagger.io/v2/pet/1?lifecycle
          catch:
            errors:
              with:
                status: 503
            retry:
              delay:
                milliseconds: 1
              limit:
                attempt:
                  count: 1
    """
    And given the first 1 requests to 'https://petstore.swagger.io/v2/pet/1?lifecycle' are answered with status 503
    When the workflow is executed
    Then the workflow should complete
    And the lifecycle events should be:
    """yaml
    - type: io.serverlessworkflow.workflow.started.v1
    - type: io.serverlessworkflow.task.created.v1
      data:
        task: /do/0/careful
    - type: io.serverlessworkflow.task.started.v1
      data:
        task: /do/0/careful
    - type: io.serverlessworkflow.task.created.v1
      data:
        task: /do/0/careful/try/0/getPet
    - type: io.serverlessworkflow.task.started.v1
      data:
        task: /do/0/careful/try/0/getPet
    - type: io.serverlessworkflow.task.faulted.v1
      data:
        task: /do/0/careful/try/0/getPet
    - type: io.serverlessworkflow.task.retried.v1
      data:
        task: /do/0/careful
    - type: io.serverlessworkflow.task.created.v1
      data:
        task: /do/0/careful/try/0/getPet
    - type: io.serverlessworkflow.task.started.v1
      data:
        task: /do/0/careful/try/0/getPet
    - type: io.serverlessworkflow.task.completed.v1
      data:
        task: /do/0/careful/try/0/getPet
    - type: io.serverlessworkflow.task.completed.v1
      data:
        task: /do/0/careful
    - type: io.serverlessworkflow.workflow.completed.v1
    """

  # Tests that who loses a race is told to be cancelled
  Scenario: Compete
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: lifecycle-compete
      version: '1.0.0'
    do:
      - race:
          fork:
            compete: true
            branches:
              - slow:
                  wait: PT1H
              - fast:
                  set:
                    winner: fast
    """
    When the workflow is executed
    Then the workflow should complete
    And the lifecycle events should be:
    """yaml
    - type: io.serverlessworkflow.workflow.started.v1
    - type: io.serverlessworkflow.task.created.v1
      data:
        task: /do/0/race
    - type: io.serverlessworkflow.task.started.v1
      data:
        task: /do/0/race
    - type: io.serverlessworkflow.task.created.v1
      data:
        task: /do/0/race/fork/branches/0/slow
    - type: io.serverlessworkflow.task.started.v1
      data:
        task: /do/0/race/fork/branches/0/slow
    - type: io.serverlessworkflow.task.created.v1
      data:
        task: /do/0/race/fork/branches/1/fast
    - type: io.serverlessworkflow.task.started.v1
      data:
        task: /do/0/race/fork/branches/1/fast
    - type: io.serverlessworkflow.task.completed.v1
      data:
        task: /do/0/race/fork/branches/1/fast
    - type: io.serverlessworkflow.task.cancelled.v1
      data:
        task: /do/0/race/fork/branches/0/slow
    - type: io.serverlessworkflow.task.completed.v1
      data:
        task: /do/0/race
    - type: io.serverlessworkflow.workflow.completed.v1
    """

  # Tests that suspending and resuming are told of the workflow, and of each task under way
  # Tests that the correlation of events is told, with the keys that it has come to
  Scenario: Suspend, Resume And Correlate
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: lifecycle-suspend
      version: '1.0.0'
    do:
      - hear:
          listen:
            to:
              one:
                with:
                  type: com.example.lifecycle.measured
                correlate:
                  room:
                    from: .data.room
    """
    When the workflow is started
    And the workflow should be waiting
    And the workflow is suspended
    And the workflow is resumed
    And another workflow is executed with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: lifecycle-measure
      version: '1.0.0'
    do:
      - measure:
          emit:
            event:
              with:
                source: https://example.com/sensor
                type: com.example.lifecycle.measured
                data:
                  room: kitchen
    """
    Then the workflow should complete
    And the lifecycle events should be:
    """yaml
    - type: io.serverlessworkflow.workflow.started.v1
    - type: io.serverlessworkflow.task.created.v1
    - type: io.serverlessworkflow.task.started.v1
    - type: io.serverlessworkflow.workflow.correlation-started.v1
    - type: io.serverlessworkflow.workflow.suspended.v1
    - type: io.serverlessworkflow.task.suspended.v1
      data:
        task: /do/0/hear
    - type: io.serverlessworkflow.workflow.resumed.v1
    - type: io.serverlessworkflow.task.resumed.v1
      data:
        task: /do/0/hear
    - type: io.serverlessworkflow.workflow.correlation-completed.v1
      data:
        correlationKeys:
          room: kitchen
    - type: io.serverlessworkflow.task.completed.v1
      data:
        task: /do/0/hear
    - type: io.serverlessworkflow.workflow.completed.v1
    """

  # Tests that a cancelled workflow is told after its tasks
  Scenario: Cancel
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: lifecycle-cancel
      version: '1.0.0'
    do:
      - around:
          do:
            - pause:
                wait: PT1H
    """
    When the workflow is started
    And the workflow should be waiting
    And the workflow is cancelled
    Then the workflow should be cancelled
    And the lifecycle events should be:
    """yaml
    - type: io.serverlessworkflow.workflow.started.v1
    - type: io.serverlessworkflow.task.created.v1
    - type: io.serverlessworkflow.task.started.v1
    - type: io.serverlessworkflow.task.created.v1
    - type: io.serverlessworkflow.task.started.v1
    - type: io.serverlessworkflow.task.cancelled.v1
      data:
        task: /do/0/around/do/0/pause
    - type: io.serverlessworkflow.task.cancelled.v1
      data:
        task: /do/0/around
    - type: io.serverlessworkflow.workflow.cancelled.v1
    """
