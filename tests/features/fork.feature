Feature: Fork Task
  As an implementer of the workflow DSL
  I want to ensure that branches run at the same time
  So that my implementation conforms to the expected behavior

  # Tests that the output of a fork is the outputs of its branches, in the order of their declaration
  Scenario: Join
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: fork-join
      version: '1.0.0'
    do:
      - both:
          fork:
            branches:
              - slow:
                  do:
                    - pause:
                        wait: PT0.03S
                    - answer:
                        set:
                          side: slow
              - quick:
                  set:
                    side: quick
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    - side: slow
    - side: quick
    """

  # Tests that the first branch to complete gives the output of a competing fork
  Scenario: Compete
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: fork-compete
      version: '1.0.0'
    do:
      - race:
          fork:
            compete: true
            branches:
              - slow:
                  do:
                    - pause:
                        wait: PT1H
                    - answer:
                        set:
                          side: slow
              - quick:
                  set:
                    side: quick
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    side: quick
    """

  # Tests that an error in one branch ends the others and the fork
  Scenario: Error In A Branch
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: fork-error
      version: '1.0.0'
    do:
      - both:
          fork:
            branches:
              - slow:
                  wait: PT1H
              - failing:
                  raise:
                    error:
                      type: https://example.com/errors/refused
                      status: 418
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    status: 418
    instance: /do/0/both/fork/branches/1/failing
    """
