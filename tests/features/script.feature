Feature: Script Process
  As an implementer of the workflow DSL
  I want to ensure that workflows can run scripts
  So that my implementation conforms to the expected behavior

  # Tests that a script in JavaScript has its arguments, its environment and its standard input
  Scenario: Run A Script In JavaScript
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: script-javascript
      version: '1.0.0'
    do:
      - greet:
          run:
            script:
              language: js
              arguments: [ '${ .name }' ]
              environment: { GREETING: Hello }
              stdin: ${ .mark }
              code: |
                import { readFileSync } from 'node:fs';
                const [, , name] = process.argv;
                process.stdout.write(process.env.GREETING + ', ' + name + readFileSync(0, 'utf8'));
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

  # Tests that a script in Python can compute with what it is given
  Scenario: Run A Script In Python
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: script-python
      version: '1.0.0'
    do:
      - count:
          run:
            script:
              language: python
              stdin: ${ . }
              code: |
                import json, sys
                words = json.load(sys.stdin)['words']
                print(len(words), file=sys.stderr)
                print(json.dumps(sorted(words)), end='')
            return: all
          output:
            as: '${ { sorted: (.stdout | fromjson), count: (.stderr | tonumber), code } }'
    """
    And given the workflow input is:
    """yaml
    words: [ c, a, b ]
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    sorted: [ a, b, c ]
    count: 3
    code: 0
    """

  # Tests that an exception that leaves a script is an error that can be caught
  Scenario: A Script That Fails
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: script-fails
      version: '1.0.0'
    do:
      - careful:
          try:
            - fail:
                run:
                  script:
                    language: js
                    code: throw new Error('no')
          catch:
            errors:
              with:
                type: https://serverlessworkflow.io/spec/1.0.0/errors/runtime
            do:
              - tell:
                  set:
                    code: ${ $error.data.code }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    code: 1
    """
