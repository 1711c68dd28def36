Feature: Shell Process
  As an implementer of the workflow DSL
  I want to ensure that workflows can run shell commands
  So that my implementation conforms to the expected behavior

  # Tests that a command has its arguments, its environment and its standard input
  Scenario: Run A Shell Command
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: shell-command
      version: '1.0.0'
    do:
      - greet:
          run:
            shell:
              command: 'printf "%s, %s%s" "$GREETING" "$1" "$(cat)"'
              arguments: [ '${ .name }' ]
              environment: { GREETING: Hello }
              stdin: ${ .mark }
    """
    And given the workflow input is:
    """yaml
    name: Ada
    mark: '!'
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    Hello, Ada!
    """

  # Tests that the exit code is the output where it is asked for
  Scenario: Return The Exit Code
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: shell-code
      version: '1.0.0'
    do:
      - test:
          run:
            shell:
              command: exit 7
            return: code
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    7
    """

  # Tests that an exit code that is not asked for is an error
  Scenario: A Shell Command That Fails
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: shell-fails
      version: '1.0.0'
    do:
      - test:
          run:
            shell:
              command: echo why >&2; exit 7
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    type: https://serverlessworkflow.io/spec/1.0.0/errors/runtime
    status: 500
    """
