Feature: Schedules
  As an implementer of the workflow DSL
  I want to ensure that workflows start by themselves
  So that my implementation conforms to the expected behavior

  # Tests that an event starts a run, with the array of its events as the input
  Scenario: Start On An Event
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: schedule-on-one
      version: '1.0.0'
    schedule:
      on:
        one:
          with:
            type: com.example.schedule-on-one.ordered
    do:
      - order:
          set:
            item: ${ $workflow.input[0].item }
    """
    When the workflow is published
    And another workflow is executed with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: schedule-on-one-order
      version: '1.0.0'
    do:
      - order:
          emit:
            event:
              with:
                source: https://example.com/shop
                type: com.example.schedule-on-one.ordered
                data: { item: book }
    """
    Then the workflow should have been started
    And the workflow should complete with output:
    """yaml
    item: book
    """

  # Tests that events which are both needed start one run when both have come, whichever comes first
  Scenario: Start On All Of Several Events
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: schedule-on-all
      version: '1.0.0'
    schedule:
      on:
        all:
          - with:
              type: com.example.schedule-on-all.paid
            correlate:
              order: { from: .data.order }
          - with:
              type: com.example.schedule-on-all.packed
            correlate:
              order: { from: .data.order }
    do:
      - ship:
          set:
            order: ${ $workflow.input[0].order }
            events: ${ $workflow.input | length }
    """
    When the workflow is published
    And another workflow is executed with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: schedule-on-all-order
      version: '1.0.0'
    do:
      - first:
          emit:
            event:
              with:
                source: https://example.com/shop
                type: com.example.schedule-on-all.packed
                data: { order: 1 }
      - second:
          emit:
            event:
              with:
                source: https://example.com/shop
                type: com.example.schedule-on-all.paid
                data: { order: 2 }
      - third:
          emit:
            event:
              with:
                source: https://example.com/shop
                type: com.example.schedule-on-all.packed
                data: { order: 2 }
    """
    Then the workflow should have been started
    And the workflow should complete with output:
    """yaml
    order: 2
    events: 2
    """

  # Tests that a workflow is started each time that an interval has passed
  Scenario: Start Every Second
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: schedule-every
      version: '1.0.0'
    schedule:
      every:
        seconds: 1
    do:
      - tick:
          set:
            input: ${ $workflow.input }
    """
    When the workflow is published
    Then the workflow should have been started
    And the workflow should complete with output:
    """yaml
    input: {}
    """
