Feature: Flow Directives
  As an implementer of the workflow DSL
  I want to ensure that `then` and `if` lead through a workflow
  So that my implementation conforms to the expected behavior

  # Tests a jump, and that what it leaves out does not run
  Scenario: Then To A Task
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: then-task
      version: '1.0.0'
    do:
      - first:
          set: { way: first }
          then: third
      - second:
          set: { way: second }
      - third:
          set:
            way: ${ .way + " third" }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    way: first third
    """

  # Tests that `exit` leaves the list, and the flow goes on behind it
  Scenario: Then Exit
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: then-exit
      version: '1.0.0'
    do:
      - outer:
          do:
            - first:
                set: { way: first }
                then: exit
            - never:
                set: { way: never }
      - behind:
          set:
            way: ${ .way + " behind" }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    way: first behind
    """

  # Tests that `end` ends the workflow from anywhere
  Scenario: Then End
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: then-end
      version: '1.0.0'
    do:
      - outer:
          do:
            - first:
                set: { way: first }
                then: end
      - never:
          set: { way: never }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    way: first
    """

  # Tests that a task whose condition does not hold is skipped, and lets its input through
  Scenario: Condition
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: if
      version: '1.0.0'
    do:
      - skipped:
          if: .name == "Grace"
          set: { never: true }
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

  # Tests the case without a condition, wherever nothing else matches
  Scenario: Switch Default
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: switch-default
      version: '1.0.0'
    do:
      - choose:
          switch:
            - red:
                when: .color == "red"
                then: red
            - otherwise:
                then: other
      - red:
          set: { color: red }
          then: end
      - other:
          set: { color: other }
    """
    And given the workflow input is:
    """yaml
    color: green
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    color: other
    """
