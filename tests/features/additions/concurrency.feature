Feature: Concurrent Iterations
  As an implementer of the workflow DSL
  I want to ensure that iterations can run at the same time (an addition of Baton)
  So that my implementation conforms to the expected behavior

  # Tests that each iteration is given the loop's input, and that the output is theirs in order
  Scenario: Concurrency
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: concurrency
      version: '1.0.0'
    do:
      - loop:
          for:
            in: .numbers
            concurrency: 2
          do:
            - pause:
                wait: ${ "PT0.0\(4 - $item)S" }
            - answer:
                set: '${ $item * 10 }'
    """
    And given the workflow input is:
    """yaml
    numbers: [ 1, 2, 3 ]
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    [ 10, 20, 30 ]
    """
