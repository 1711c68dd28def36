Feature: Extensions
  As an implementer of the workflow DSL
  I want to ensure that extensions run tasks before and after those that they extend
  So that my implementation conforms to the expected behavior

  # Tests that `before` and `after` run around each task of the kind
  # Tests that the data of the extended task goes past them
  Scenario: Before And After
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: extension
      version: '1.0.0'
    use:
      extensions:
        - audit:
            extend: set
            before:
              - begin:
                  wait: PT0.001S
            after:
              - finish:
                  wait: PT0.001S
    do:
      - paint:
          set:
            color: red
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    color: red
    """
    And begin should run 1 times
    And paint should run 1 times
    And finish should run 1 times
    And finish should run last

  # Tests that an extension whose condition does not hold does not apply
  Scenario: Condition Of An Extension
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: extension-when
      version: '1.0.0'
    use:
      extensions:
        - audit:
            extend: all
            when: ${ .audited == true }
            before:
              - begin:
                  wait: PT0.001S
    do:
      - paint:
          set:
            color: red
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    color: red
    """
    And begin should run 0 times
