Feature: Export
  As an implementer of the workflow DSL
  I want to ensure that tasks can export data to the workflow's context
  So that my implementation conforms to the expected behavior

  # Tests that an export replaces the context
  # Tests that tasks which follow see the context
  Scenario: Export To Context
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: export
      version: '1.0.0'
    do:
      - first:
          set:
            count: 1
          export:
            as: '{ first: .count }'
      - second:
          set:
            count: 2
          export:
            as: '$context + { second: .count }'
      - report:
          set:
            context: ${ $context }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    context:
      first: 1
      second: 2
    """

  # Tests that each branch of a fork exports to a context of its own, and that what they changed is merged at the join
  Scenario: Export From Branches
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: export-from-branches
      version: '1.0.0'
    do:
      - both:
          fork:
            branches:
              - left:
                  set:
                    side: left
                  export:
                    as: '$context + { left: .side }'
              - right:
                  set:
                    side: right
                  export:
                    as: '$context + { right: .side }'
      - report:
          set: ${ $context }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    left: left
    right: right
    """

  # Tests that the exported context is validated against its schema
  Scenario: Export Against A Schema
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: export-schema
      version: '1.0.0'
    do:
      - count:
          set:
            count: many
          export:
            schema:
              document:
                type: object
                properties:
                  count:
                    type: integer
            as: '{ count: .count }'
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    type: https://serverlessworkflow.io/spec/1.0.0/errors/validation
    status: 400
    instance: /do/0/count
    """
