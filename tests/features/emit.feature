Feature: Emit Task
  As an implementer of the workflow DSL
  I want to ensure that workflows can publish events
  So that my implementation conforms to the expected behavior

  # Tests that the parts of an event may be expressions, and that another workflow hears it
  Scenario: Emit For Another Workflow
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: emit-listener
      version: '1.0.0'
    do:
      - hear:
          listen:
            to:
              one:
                with:
                  type: com.example.emit.order.placed
                correlate:
                  order:
                    from: .data.order
                    expect: '7'
    """
    When the workflow is started
    Then the workflow should be waiting
    When another workflow is executed with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: emit-sender
      version: '1.0.0'
    do:
      - tell:
          emit:
            event:
              with:
                source: https://example.com/orders
                type: com.example.emit.order.placed
                data:
                  order: '7'
    """
    Then the workflow should complete with output:
    """yaml
    - order: '7'
    """
