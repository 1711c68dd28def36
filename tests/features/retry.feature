Feature: Retry
  As an implementer of the workflow DSL
  I want to ensure that failed tasks are retried as their policy says
  So that my implementation conforms to the expected behavior

  # Tests inline policies
  Scenario: Inline Retry Policy
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: retry-inline
      version: '1.0.0'
    do:
      - careful:
          try:
            - ask:
                call: http
                with:
                  method: get
                  endpoint: https://petstore.swagger.io/v2/pet/1
                output:
                  as: .name
          catch:
            errors:
              with:
                status: 503
            retry:
              delay:
                milliseconds: 5
              limit:
                attempt:
                  count: 3
    """
    And given the first 2 requests to 'https://petstore.swagger.io/v2/pet/1' are answered with status 503
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    milou
    """
    And ask should run 3 times

  # Tests reusable policies
  Scenario: Reusable Retry Policy
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: retry-reusable
      version: '1.0.0'
    use:
      retries:
        patient:
          delay: PT0.005S
          limit:
            attempt:
              count: 3
    do:
      - careful:
          try:
            - ask:
                call: http
                with:
                  method: get
                  endpoint: https://petstore.swagger.io/v2/pet/1
                output:
                  as: .name
          catch:
            errors:
              with:
                status: 503
            retry: patient
    """
    And given the first 2 requests to 'https://petstore.swagger.io/v2/pet/1' are answered with status 503
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    milou
    """
    And ask should run 3 times

  # Tests the constant backoff
  Scenario: Constant Backoff
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: retry-constant
      version: '1.0.0'
    do:
      - careful:
          try:
            - ask:
                call: http
                with:
                  method: get
                  endpoint: https://petstore.swagger.io/v2/pet/1
                output:
                  as: .name
          catch:
            errors:
              with:
                status: 503
            retry:
              delay:
                milliseconds: 5
              backoff:
                constant: {}
              limit:
                attempt:
                  count: 5
    """
    And given the first 3 requests to 'https://petstore.swagger.io/v2/pet/1' are answered with status 503
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    milou
    """
    And the retries should wait '5, 5, 5' milliseconds

  # Tests the linear backoff
  Scenario: Linear Backoff
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: retry-linear
      version: '1.0.0'
    do:
      - careful:
          try:
            - ask:
                call: http
                with:
                  method: get
                  endpoint: https://petstore.swagger.io/v2/pet/1
                output:
                  as: .name
          catch:
            errors:
              with:
                status: 503
            retry:
              delay:
                milliseconds: 5
              backoff:
                linear: {}
              limit:
                attempt:
                  count: 5
    """
    And given the first 3 requests to 'https://petstore.swagger.io/v2/pet/1' are answered with status 503
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    milou
    """
    And the retries should wait '5, 10, 15' milliseconds

  # Tests the exponential backoff
  Scenario: Exponential Backoff
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: retry-exponential
      version: '1.0.0'
    do:
      - careful:
          try:
            - ask:
                call: http
                with:
                  method: get
                  endpoint: https://petstore.swagger.io/v2/pet/1
                output:
                  as: .name
          catch:
            errors:
              with:
                status: 503
            retry:
              delay:
                milliseconds: 5
              backoff:
                exponential: {}
              limit:
                attempt:
                  count: 5
    """
    And given the first 3 requests to 'https://petstore.swagger.io/v2/pet/1' are answered with status 503
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    milou
    """
    And the retries should wait '5, 10, 20' milliseconds

  # Tests that the delay varies within the range of the jitter
  Scenario: Jitter
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: retry-jitter
      version: '1.0.0'
    do:
      - careful:
          try:
            - ask:
                call: http
                with:
                  method: get
                  endpoint: https://petstore.swagger.io/v2/pet/1
                output:
                  as: .name
          catch:
            errors:
              with:
                status: 503
            retry:
              delay:
                milliseconds: 5
              jitter:
                from:
                  milliseconds: 10
                to:
                  milliseconds: 20
              limit:
                attempt:
                  count: 5
    """
    And given the first 3 requests to 'https://petstore.swagger.io/v2/pet/1' are answered with status 503
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    milou
    """
    And the retries should wait between 15 and 25 milliseconds

  # Tests that an error goes on when its retries are used up
  Scenario: Limit Of Attempts
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: retry-count
      version: '1.0.0'
    do:
      - careful:
          try:
            - ask:
                call: http
                with:
                  method: get
                  endpoint: https://petstore.swagger.io/v2/pet/1
                output:
                  as: .name
          catch:
            errors:
              with:
                status: 503
            retry:
              delay:
                milliseconds: 5
              limit:
                attempt:
                  count: 2
    """
    And given the first 9 requests to 'https://petstore.swagger.io/v2/pet/1' are answered with status 503
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    type: https://serverlessworkflow.io/spec/1.0.0/errors/communication
    status: 503
    instance: /do/0/careful/try/0/ask
    """
    And ask should run 3 times

  # Tests that there is no retry which would begin after the limit of the whole
  Scenario: Limit Of Duration
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: retry-duration
      version: '1.0.0'
    do:
      - careful:
          try:
            - ask:
                call: http
                with:
                  method: get
                  endpoint: https://petstore.swagger.io/v2/pet/1
                output:
                  as: .name
          catch:
            errors:
              with:
                status: 503
            retry:
              delay: PT1H
              limit:
                duration:
                  milliseconds: 100
    """
    And given the first 9 requests to 'https://petstore.swagger.io/v2/pet/1' are answered with status 503
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    status: 503
    """
    And ask should run 1 times

  # Tests that an attempt which takes too long is ended and retried
  Scenario: Limit Of An Attempt's Duration
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: retry-attempt-duration
      version: '1.0.0'
    do:
      - careful:
          try:
            - slow:
                wait: PT1H
          catch:
            errors:
              with:
                type: https://serverlessworkflow.io/spec/1.0.0/errors/timeout
            retry:
              delay:
                milliseconds: 5
              limit:
                attempt:
                  count: 2
                  duration:
                    milliseconds: 20
            do:
              - instead:
                  set:
                    late: true
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    late: true
    """
    And slow should run 3 times

  # Tests `when` of a policy
  Scenario: Retry When
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: retry-when
      version: '1.0.0'
    do:
      - careful:
          try:
            - ask:
                call: http
                with:
                  method: get
                  endpoint: https://petstore.swagger.io/v2/pet/1
                output:
                  as: .name
          catch:
            errors:
              with:
                status: 503
            retry:
              when: ${ $error.status == 500 }
              delay:
                milliseconds: 5
              limit:
                attempt:
                  count: 3
    """
    And given the first 1 requests to 'https://petstore.swagger.io/v2/pet/1' are answered with status 503
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    status: 503
    """
    And ask should run 1 times

  # Tests `exceptWhen` of a policy
  Scenario: Retry Except When
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: retry-except-when
      version: '1.0.0'
    do:
      - careful:
          try:
            - ask:
                call: http
                with:
                  method: get
                  endpoint: https://petstore.swagger.io/v2/pet/1
                output:
                  as: .name
          catch:
            errors:
              with:
                status: 503
            retry:
              exceptWhen: ${ $error.status == 503 }
              delay:
                milliseconds: 5
              limit:
                attempt:
                  count: 3
    """
    And given the first 1 requests to 'https://petstore.swagger.io/v2/pet/1' are answered with status 503
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    status: 503
    """
    And ask should run 1 times

  # Tests that an error which the filter does not match is not retried
  Scenario: Filtered Errors
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: retry-filter
      version: '1.0.0'
    do:
      - careful:
          try:
            - ask:
                call: http
                with:
                  method: get
                  endpoint: https://petstore.swagger.io/v2/pet/getPetByName/nobody
          catch:
            errors:
              with:
                status: 503
            retry:
              delay:
                milliseconds: 5
              limit:
                attempt:
                  count: 3
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    status: 404
    """
    And ask should run 1 times
