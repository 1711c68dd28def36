Feature: Compensation
  As an implementer of the workflow DSL
  I want to ensure that completed tasks can be undone (an addition of Baton)
  So that my implementation conforms to the expected behavior

  # Tests that undo steps run in reverse order of completion, each given its task's output
  # Tests that the error goes on after them
  Scenario: Compensate
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: compensate
      version: '1.0.0'
    do:
      - careful:
          try:
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
            - pay:
                raise:
                  error:
                    type: https://example.com/errors/declined
                    status: 402
          catch:
            do:
              - report:
                  set:
                    status: ${ $error.status }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    status: 402
    """
    And cancelHotel should run 1 times
    And cancelHotel should run before cancelFlight
    And report should run last
