Feature: Control
  As an implementer of the workflow DSL
  I want to ensure that people can control a workflow while it runs and after it has ended (an addition of Baton)
  So that my implementation conforms to the expected behavior

  # Tests that a suspended workflow stands still, though what it waits for has come
  # Tests that it goes on once it is resumed
  Scenario: Suspend And Resume
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: control-suspend
      version: '1.0.0'
    do:
      - hear:
          listen:
            to:
              one:
                with:
                  type: com.example.control.told
      - setShape:
          set:
            shape: ${ .[0] }
    """
    When the workflow is started
    And the workflow is suspended
    And another workflow is executed with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: control-tell
      version: '1.0.0'
    do:
      - tell:
          emit:
            event:
              with:
                source: https://example.com/somebody
                type: com.example.control.told
                data: circle
    """
    Then the workflow should be suspended
    And setShape should run 0 times
    When the workflow is resumed
    Then the workflow should complete with output:
    """yaml
    shape: circle
    """

  # Tests that a cancelled workflow undoes what it has done, the last first
  Scenario: Cancel
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: control-cancel
      version: '1.0.0'
    do:
      - flight:
          set:
            booking: F1
          compensate:
            - cancelFlight:
                set:
                  cancelled: ${ .booking }
      - hotel:
          set:
            booking: H1
          compensate:
            - cancelHotel:
                set:
                  cancelled: ${ .booking }
      - trip:
          wait: PT1H
    """
    When the workflow is started
    And the workflow should be waiting
    And the workflow is cancelled
    Then the workflow should be cancelled
    And cancelHotel should run 1 times
    And cancelHotel should run before cancelFlight
    And cancelFlight should run last

  # Tests that nothing is undone where that is not wanted
  Scenario: Cancel Without Compensation
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: control-cancel-at-once
      version: '1.0.0'
    do:
      - flight:
          set:
            booking: F1
          compensate:
            - cancelFlight:
                set:
                  cancelled: ${ .booking }
      - trip:
          wait: PT1H
    """
    When the workflow is started
    And the workflow should be waiting
    And the workflow is cancelled without compensation
    Then the workflow should be cancelled
    And cancelFlight should run 0 times

  # Tests that a faulted workflow goes on from the task that failed
  # Tests that what had completed is not done again
  Scenario: Retry
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: control-retry
      version: '1.0.0'
    do:
      - setId:
          set:
            id: 1
      - getPet:
          call: http
          with:
            method: get
            endpoint: https://petstore.swagger.io/v2/pet/{id}?control
          output:
            as:
              pet: ${ .name }
    """
    And given the first 1 requests to 'https://petstore.swagger.io/v2/pet/1?control' are answered with status 503
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    status: 503
    instance: /do/1/getPet
    """
    When the workflow is retried
    Then the workflow should complete with output:
    """yaml
    pet: milou
    """
    And setId should run 1 times
    And getPet should run 2 times

  # Tests that a faulted workflow goes on under a corrected definition
  Scenario: Retry With A Corrected Definition
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: control-correct
      version: '1.0.0'
    do:
      - setNumber:
          set:
            n: 20
      - double:
          set:
            n: ${ .number * 2 | if . == null then error("no number") else . end }
    """
    When the workflow is executed
    Then the workflow should fault
    When the workflow is retried with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: control-correct
      version: '1.0.0'
    do:
      - setNumber:
          set:
            n: 20
      - double:
          set:
            n: ${ .n * 2 }
    """
    Then the workflow should complete with output:
    """yaml
    n: 40
    """
    And setNumber should run 1 times

  # Tests that a definition in which something else has been performed is refused
  Scenario: Retry With Another Definition
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: control-differ
      version: '1.0.0'
    do:
      - setNumber:
          set:
            n: 20
      - fail:
          raise:
            error:
              type: https://example.com/errors/failed
              status: 500
    """
    When the workflow is executed
    Then the workflow should fault
    And the workflow can not be retried with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: control-differ
      version: '1.0.0'
    do:
      - setNumber:
          set:
            n: 21
      - double:
          set:
            n: ${ .n * 2 }
    """

  # Tests that an ended workflow can be run once more, with the input that it had
  Scenario: Restart
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: control-restart
      version: '1.0.0'
    do:
      - double:
          set:
            n: ${ .n * 2 }
    """
    And given the workflow input is:
    """yaml
    n: 4
    """
    When the workflow is executed
    Then the workflow should complete
    When the workflow is restarted
    Then the workflow should complete with output:
    """yaml
    n: 8
    """
