Feature: Try Task
  As an implementer of the workflow DSL
  I want to ensure that errors can be caught and handled
  So that my implementation conforms to the expected behavior

  # Tests that the caught error is a variable of the handler, under the name that `as` gives it
  Scenario: Catch As
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: catch-as
      version: '1.0.0'
    do:
      - careful:
          try:
            - fail:
                raise:
                  error:
                    type: https://example.com/errors/refused
                    status: 418
                    title: Refused
          catch:
            as: problem
            do:
              - report:
                  set:
                    status: ${ $problem.status }
                    title: ${ $problem.title }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    status: 418
    title: Refused
    """

  # Tests `when` of a catch clause
  Scenario: Catch When It Holds
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: catch-when-caught
      version: '1.0.0'
    do:
      - careful:
          try:
            - fail:
                raise:
                  error:
                    type: https://example.com/errors/refused
                    status: 418
          catch:
            when: ${ $error.status == 418 }
            do:
              - report:
                  set:
                    caught: true
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    caught: true
    """

  # Tests `when` of a catch clause
  Scenario: Catch When It Does Not Hold
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: catch-when-passed
      version: '1.0.0'
    do:
      - careful:
          try:
            - fail:
                raise:
                  error:
                    type: https://example.com/errors/refused
                    status: 418
          catch:
            when: ${ $error.status == 500 }
            do:
              - report:
                  set:
                    caught: true
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    status: 418
    """

  # Tests `exceptWhen` of a catch clause
  Scenario: Catch Except When It Holds
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: catch-exceptwhen-passed
      version: '1.0.0'
    do:
      - careful:
          try:
            - fail:
                raise:
                  error:
                    type: https://example.com/errors/refused
                    status: 418
          catch:
            exceptWhen: ${ $error.status == 418 }
            do:
              - report:
                  set:
                    caught: true
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    status: 418
    """

  # Tests `then` of a catch clause, which the error path alone takes
  Scenario: Catch Then
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: catch-then
      version: '1.0.0'
    do:
      - careful:
          try:
            - fail:
                raise:
                  error:
                    type: https://example.com/errors/refused
                    status: 418
          catch:
            then: repair
      - usual:
          set:
            way: usual
          then: end
      - repair:
          set:
            way: repair
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    way: repair
    """
