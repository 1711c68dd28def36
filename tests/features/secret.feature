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
