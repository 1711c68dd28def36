Feature: Approval
  As an implementer of the workflow DSL
  I want to ensure that tasks can ask a person (an addition of Baton)
  So that my implementation conforms to the expected behavior

  # Tests that a task waits for a person, and that its output is what they have decided
  Scenario: Approve
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: approval
      version: '1.0.0'
    do:
      - ask:
          call: approval
          with:
            title: Deploy?
            form:
              type: object
              properties:
                region:
                  type: string
          output:
            as: '{ decision, region: .data.region }'
    """
    When the workflow is started
    And the approval is decided with:
    """yaml
    decision: approved
    data:
      region: north
    """
    Then the workflow should complete with output:
    """yaml
    decision: approved
    region: north
    """

  # Tests that a person may refuse, and that the workflow decides what follows
  Scenario: Reject
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: approval-rejected
      version: '1.0.0'
    do:
      - ask:
          call: approval
          with:
            title: Deploy?
          output:
            as: .decision
    """
    When the workflow is started
    And the approval is decided with:
    """yaml
    decision: rejected
    """
    Then the workflow should complete with output:
    """yaml
    rejected
    """

  # Tests that nobody is waited for beyond the task's timeout
  Scenario: Nobody Decides
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: approval-timeout
      version: '1.0.0'
    do:
      - ask:
          call: approval
          with:
            title: Deploy?
          timeout:
            after: PT0.05S
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    type: https://serverlessworkflow.io/spec/1.0.0/errors/timeout
    status: 408
    """
