Feature: Reusable Functions
  As an implementer of the workflow DSL
  I want to ensure that functions that a workflow defines can be called
  So that my implementation conforms to the expected behavior

  # Tests that a function is given the call's arguments as its input
  Scenario: Call A Defined Function
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: function
      version: '1.0.0'
    use:
      functions:
        greet:
          set:
            greeting: ${ "Hello, " + .name }
    do:
      - hello:
          call: greet
          with:
            name: ${ .first }
    """
    And given the workflow input is:
    """yaml
    first: Ada
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    greeting: Hello, Ada
    """
