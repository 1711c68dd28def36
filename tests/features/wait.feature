Feature: Wait Task
  As an implementer of the workflow DSL
  I want to ensure that wait tasks pause a workflow and let its data through
  So that my implementation conforms to the expected behavior

  # Tests durations in their inline form
  # Tests that a wait task's output is its input
  Scenario: Wait For An Inline Duration
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: wait-inline
      version: '1.0.0'
    do:
      - pause:
          wait:
            milliseconds: 20
      - greet:
          set:
            greeting: ${ "Hello, " + .name }
    """
    And given the workflow input is:
    """yaml
    name: Ada
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    greeting: Hello, Ada
    """
    And pause should run first
    And greet should run last

  # Tests durations in their ISO 8601 form
  Scenario: Wait For An ISO 8601 Duration
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: wait-iso8601
      version: '1.0.0'
    do:
      - pause:
          wait: PT0.02S
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

  # Tests durations that an expression gives
  Scenario: Wait For A Computed Duration
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: wait-expression
      version: '1.0.0'
    do:
      - pause:
          wait: ${ "PT0.0\(.hundredths)S" }
    """
    And given the workflow input is:
    """yaml
    hundredths: 2
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    hundredths: 2
    """

  # Tests that a workflow which does nothing but wait is in the phase `waiting`
  Scenario: Wait As A Phase
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: wait-phase
      version: '1.0.0'
    do:
      - pause:
          wait: PT1H
    """
    When the workflow is started
    Then the workflow should be waiting
    And the workflow is cancelled
    And the workflow should be cancelled
