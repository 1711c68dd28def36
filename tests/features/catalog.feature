Feature: Catalogs
  As an implementer of the workflow DSL
  I want to ensure that functions and schemas that are kept elsewhere can be used
  So that my implementation conforms to the expected behavior

  # Tests that a function of a catalog is fetched from where the catalog keeps it, and called with its arguments
  Scenario: Call A Function Of A Catalog
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: catalog-function
      version: '1.0.0'
    use:
      catalogs:
        shelf:
          endpoint: https://petstore.swagger.io/catalog
    do:
      - hello:
          call: greet:1.2.0@shelf
          with:
            name: ${ .first }
    """
    And given the resource 'https://petstore.swagger.io/catalog/functions/greet/1.2.0/function.yaml' is:
    """yaml
    input:
      schema:
        resource:
          endpoint: schema.json
    set:
      greeting: ${ "Hello, " + .name }
    """
    And given the resource 'https://petstore.swagger.io/catalog/functions/greet/1.2.0/schema.json' is:
    """yaml
    type: object
    properties:
      name:
        type: string
    required: [ name ]
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

  # Tests that the arguments of a function of a catalog are held to the function's schema
  Scenario: Arguments That Do Not Fit
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: catalog-arguments
      version: '1.0.0'
    use:
      catalogs:
        shelf:
          endpoint: https://petstore.swagger.io/catalog
    do:
      - square:
          call: square:1.0.0@shelf
          with:
            number: ${ .number }
    """
    And given the resource 'https://petstore.swagger.io/catalog/functions/square/1.0.0/function.yaml' is:
    """yaml
    input:
      schema:
        document:
          properties:
            number:
              type: number
    set:
      square: ${ .number * .number }
    """
    And given the workflow input is:
    """yaml
    number: seven
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    type: https://serverlessworkflow.io/spec/1.0.0/errors/validation
    status: 400
    """

  # Tests that a schema that is kept elsewhere is fetched and held to
  Scenario: A Schema That Is Kept Elsewhere
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: schema-resource
      version: '1.0.0'
    input:
      schema:
        resource:
          name: person
          endpoint:
            uri: https://petstore.swagger.io/schemas/person.json
    do:
      - name:
          set:
            name: ${ .name }
    """
    And given the resource 'https://petstore.swagger.io/schemas/person.json' is:
    """yaml
    type: object
    required: [ name ]
    """
    And given the workflow input is:
    """yaml
    age: 36
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    type: https://serverlessworkflow.io/spec/1.0.0/errors/validation
    status: 400
    """
