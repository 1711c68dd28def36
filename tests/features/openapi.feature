Feature: OpenAPI Calls
  As an implementer of the workflow DSL
  I want to ensure that calls by OpenAPI documents say what does not fit
  So that my implementation conforms to the expected behavior

  # Tests that a parameter goes where the document says
  Scenario: A Parameter In The Path
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: openapi-path
      version: '1.0.0'
    do:
      - ask:
          call: openapi
          with:
            document:
              endpoint: https://petstore.swagger.io/v2/swagger.json
            operationId: getPetById
            parameters:
              petId: 1
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    id: 1
    name: milou
    status: available
    tags: []
    """

  # Tests that an operation which the document does not have is refused
  Scenario: An Operation That Is Missing
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: openapi-operation
      version: '1.0.0'
    do:
      - ask:
          call: openapi
          with:
            document:
              endpoint: https://petstore.swagger.io/v2/swagger.json
            operationId: getPetByName
            parameters:
              petId: 1
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    type: https://serverlessworkflow.io/spec/1.0.0/errors/configuration
    status: 400
    instance: /do/0/ask
    """

  # Tests that a parameter which the operation requires has to be there
  Scenario: A Parameter That Is Missing
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: openapi-missing
      version: '1.0.0'
    do:
      - ask:
          call: openapi
          with:
            document:
              endpoint: https://petstore.swagger.io/v2/swagger.json
            operationId: getPetById
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    type: https://serverlessworkflow.io/spec/1.0.0/errors/validation
    status: 400
    instance: /do/0/ask
    """

  # Tests that a parameter which the operation does not have is refused
  Scenario: A Parameter That There Is Not
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: openapi-unknown
      version: '1.0.0'
    do:
      - ask:
          call: openapi
          with:
            document:
              endpoint: https://petstore.swagger.io/v2/swagger.json
            operationId: getPetById
            parameters:
              { petId: 1, petName: milou }
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    type: https://serverlessworkflow.io/spec/1.0.0/errors/validation
    status: 400
    instance: /do/0/ask
    """

  # Tests that what is no OpenAPI document is refused
  Scenario: A Document That Is None
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: openapi-none
      version: '1.0.0'
    do:
      - ask:
          call: openapi
          with:
            document:
              endpoint: https://petstore.swagger.io/v2/pet/1
            operationId: getPetById
            parameters:
              petId: 1
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    type: https://serverlessworkflow.io/spec/1.0.0/errors/configuration
    status: 400
    instance: /do/0/ask
    """
