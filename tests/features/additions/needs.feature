Feature: Branches With Needs
  As an implementer of the workflow DSL
  I want to ensure that branches of a fork can wait for others (an addition of Baton)
  So that my implementation conforms to the expected behavior

  # Tests that a branch starts when those that it needs have completed, and sees their outputs
  Scenario: Needs
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: needs
      version: '1.0.0'
    do:
      - reserve:
          fork:
            branches:
              - hotel:
                  needs: [ flight ]
                  set:
                    night: ${ $branches.flight.arrival }
              - flight:
                  set:
                    arrival: Monday
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    - night: Monday
    - arrival: Monday
    """
