Feature: For Task
  As an implementer of the workflow DSL
  I want to ensure that tasks can be run for each item of a collection
  So that my implementation conforms to the expected behavior

  # Tests the variables of the item and its index
  # Tests that each iteration is given the output of the one before
  Scenario: Each And At
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: for-each
      version: '1.0.0'
    do:
      - loop:
          for:
            each: color
            in: .colors
            at: number
          do:
            - take:
                set:
                  colors: ${ .colors }
                  taken: ${ (.taken // []) + ["\($number) \($color)"] }
          output:
            as: .taken
    """
    And given the workflow input is:
    """yaml
    colors: [ red, green ]
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    [ '0 red', '1 green' ]
    """

  # Tests `while`, which looks at what the iteration before has left
  Scenario: While
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: for-while
      version: '1.0.0'
    do:
      - loop:
          for:
            in: .numbers
          while: ${ (.sum // 0) < 5 }
          do:
            - add:
                set:
                  sum: ${ (.sum // 0) + $item }
    """
    And given the workflow input is:
    """yaml
    numbers: [ 1, 2, 3, 4, 5 ]
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    sum: 6
    """

  # Tests inline collections
  Scenario: Inline Collection
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: for-inline
      version: '1.0.0'
    do:
      - loop:
          for:
            in: [ 1, 2, 3 ]
          do:
            - add:
                set:
                  sum: ${ (.sum // 0) + $item }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    sum: 6
    """
