Feature: Secrets
  As an implementer of the workflow DSL
  I want to ensure that workflows can use secrets that they never see
  So that my implementation conforms to the expected behavior

  # Tests that the credentials of a call can be secrets
  Scenario: Authenticate With A Secret
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: secret-basic
      version: '1.0.0'
    use:
      secrets: [ login ]
    do:
      - login:
          call: http
          with:
            method: get
            endpoint:
              uri: https://httpbin.org/bearer
              authentication:
                bearer:
                  token: ${ $secrets.login.token }
    """
    And given the secret 'login' is:
    """yaml
    value:
      token: open-sesame
    hosts: [ httpbin.org ]
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    authenticated: true
    """

  # Tests that a workflow which puts a secret into its output has not got it
  Scenario: A Secret Is No Data
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: secret-data
      version: '1.0.0'
    use:
      secrets: [ phrase ]
    do:
      - compare:
          set:
            known: ${ $secrets.phrase == "open-sesame" }
    """
    And given the secret 'phrase' is:
    """yaml
    value: open-sesame
    hosts: [ httpbin.org ]
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    known: false
    """

  # Tests that the credentials of Basic are made of a secret's members
  Scenario: Basic Credentials From A Secret
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: secret-members
      version: '1.0.0'
    use:
      secrets: [ reader ]
    do:
      - read:
          call: http
          with:
            method: get
            endpoint:
              uri: https://httpbin.org/basic-auth/ada/open-sesame
              authentication:
                basic:
                  username: ${ $secrets.reader.username }
                  password: ${ $secrets.reader.password }
    """
    And given the secret 'reader' is:
    """yaml
    value:
      username: ada
      password: open-sesame
    hosts: [ httpbin.org ]
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    authenticated: true
    """

  # Tests that a secret as a whole can be the credentials of a scheme
  Scenario: Credentials By The Name Of A Secret
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: secret-use
      version: '1.0.0'
    use:
      secrets: [ reader ]
      authentications:
        reading:
          basic:
            use: reader
    do:
      - read:
          call: http
          with:
            method: get
            endpoint:
              uri: https://httpbin.org/basic-auth/ada/open-sesame
              authentication:
                use: reading
    """
    And given the secret 'reader' is:
    """yaml
    value:
      username: ada
      password: open-sesame
    hosts: [ httpbin.org ]
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    authenticated: true
    """
