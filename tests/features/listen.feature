Feature: Listen Task
  As an implementer of the workflow DSL
  I want to ensure that workflows can wait for events
  So that my implementation conforms to the expected behavior

  # Tests that a task waits for one event, and that its output is the data of what it has consumed
  Scenario: Listen To One
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: listen-one
      version: '1.0.0'
    do:
      - both:
          fork:
            branches:
              - hear:
                  listen:
                    to:
                      one:
                        with:
                          type: com.example.listen-one.started
              - tell:
                  do:
                    - other:
                        emit:
                          event:
                            with:
                              source: https://example.com/sensors
                              type: com.example.listen-one.other
                              data: { n: 0 }
                    - started:
                        emit:
                          event:
                            with:
                              source: https://example.com/sensors
                              type: com.example.listen-one.started
                              data: { n: 1 }
          output:
            as: .[0]
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    - n: 1
    """

  # Tests that the first event which matches any of the filters is enough
  Scenario: Listen To Any
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: listen-any
      version: '1.0.0'
    do:
      - both:
          fork:
            branches:
              - hear:
                  listen:
                    to:
                      any:
                        - with:
                            type: com.example.listen-any.temperature
                            data: ${ .degrees > 38 }
                        - with:
                            type: com.example.listen-any.pulse
              - tell:
                  do:
                    - cool:
                        emit:
                          event:
                            with:
                              source: https://example.com/sensors
                              type: com.example.listen-any.temperature
                              data: { degrees: 37 }
                    - pulse:
                        emit:
                          event:
                            with:
                              source: https://example.com/sensors
                              type: com.example.listen-any.pulse
                              data: { bpm: 70 }
          output:
            as: .[0]
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    - bpm: 70
    """

  # Tests that every filter has to be matched once
  Scenario: Listen To All
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: listen-all
      version: '1.0.0'
    do:
      - both:
          fork:
            branches:
              - hear:
                  listen:
                    to:
                      all:
                        - with:
                            type: com.example.listen-all.temperature
                        - with:
                            type: com.example.listen-all.pulse
              - tell:
                  do:
                    - temperature:
                        emit:
                          event:
                            with:
                              source: https://example.com/sensors
                              type: com.example.listen-all.temperature
                              data: { degrees: 37 }
                    - pulse:
                        emit:
                          event:
                            with:
                              source: https://example.com/sensors
                              type: com.example.listen-all.pulse
                              data: { bpm: 70 }
          output:
            as: .[0]
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    - degrees: 37
    - bpm: 70
    """

  # Tests that events are consumed until a condition on what has been consumed holds
  Scenario: Listen Until A Condition Holds
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: listen-until-condition
      version: '1.0.0'
    do:
      - both:
          fork:
            branches:
              - hear:
                  listen:
                    to:
                      any:
                        - with:
                            type: com.example.listen-until.pulse
                      until: ( . | length ) == 2
              - tell:
                  do:
                    - first:
                        emit:
                          event:
                            with:
                              source: https://example.com/sensors
                              type: com.example.listen-until.pulse
                              data: { bpm: 70 }
                    - second:
                        emit:
                          event:
                            with:
                              source: https://example.com/sensors
                              type: com.example.listen-until.pulse
                              data: { bpm: 80 }
                    - third:
                        emit:
                          event:
                            with:
                              source: https://example.com/sensors
                              type: com.example.listen-until.pulse
                              data: { bpm: 90 }
          output:
            as: .[0]
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    - bpm: 70
    - bpm: 80
    """

  # Tests that events are consumed until another strategy has been satisfied
  Scenario: Listen Until Another Event
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: listen-until-consumed
      version: '1.0.0'
    do:
      - both:
          fork:
            branches:
              - hear:
                  listen:
                    to:
                      any:
                        - with:
                            type: com.example.listen-until-consumed.pulse
                      until:
                        one:
                          with:
                            type: com.example.listen-until-consumed.left
              - tell:
                  do:
                    - first:
                        emit:
                          event:
                            with:
                              source: https://example.com/sensors
                              type: com.example.listen-until-consumed.pulse
                              data: { bpm: 70 }
                    - second:
                        emit:
                          event:
                            with:
                              source: https://example.com/sensors
                              type: com.example.listen-until-consumed.pulse
                              data: { bpm: 80 }
                    - left:
                        emit:
                          event:
                            with:
                              source: https://example.com/sensors
                              type: com.example.listen-until-consumed.left
                              data: {}
          output:
            as: .[0]
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    - bpm: 70
    - bpm: 80
    """

  # Tests that events are consumed only where they belong together
  Scenario: Correlate Events
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: listen-correlate
      version: '1.0.0'
    do:
      - both:
          fork:
            branches:
              - hear:
                  listen:
                    to:
                      all:
                        - with:
                            type: com.example.correlate.temperature
                          correlate:
                            room:
                              from: .data.room
                        - with:
                            type: com.example.correlate.humidity
                          correlate:
                            room:
                              from: .data.room
              - tell:
                  do:
                    - one:
                        emit:
                          event:
                            with:
                              source: https://example.com/sensors
                              type: com.example.correlate.temperature
                              data: { room: 1, degrees: 21 }
                    - two:
                        emit:
                          event:
                            with:
                              source: https://example.com/sensors
                              type: com.example.correlate.humidity
                              data: { room: 2, percent: 40 }
                    - three:
                        emit:
                          event:
                            with:
                              source: https://example.com/sensors
                              type: com.example.correlate.humidity
                              data: { room: 1, percent: 60 }
          output:
            as: .[0]
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    - room: 1
      degrees: 21
    - room: 1
      percent: 60
    """

  # Tests that an expected value decides which events belong together
  Scenario: Correlate Events With An Expectation
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: listen-correlate-expect
      version: '1.0.0'
    do:
      - both:
          fork:
            branches:
              - hear:
                  listen:
                    to:
                      one:
                        with:
                          type: com.example.expect.temperature
                        correlate:
                          room:
                            from: .data.room
                            expect: '2'
              - tell:
                  do:
                    - one:
                        emit:
                          event:
                            with:
                              source: https://example.com/sensors
                              type: com.example.expect.temperature
                              data: { room: "1" }
                    - two:
                        emit:
                          event:
                            with:
                              source: https://example.com/sensors
                              type: com.example.expect.temperature
                              data: { room: "2" }
          output:
            as: .[0]
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    - room: '2'
    """

  # Tests that the whole event is read where the envelope is asked for
  Scenario: Read The Envelope
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: listen-envelope
      version: '1.0.0'
    do:
      - both:
          fork:
            branches:
              - hear:
                  listen:
                    to:
                      one:
                        with:
                          type: com.example.envelope.started
                    read: envelope
                  output:
                    as: '.[0] | { type, source, data }'
              - tell:
                  do:
                    - started:
                        emit:
                          event:
                            with:
                              source: https://example.com/sensors
                              type: com.example.envelope.started
                              data: { n: 1 }
          output:
            as: .[0]
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    type: com.example.envelope.started
    source: https://example.com/sensors
    data:
      n: 1
    """

  # Tests that each event is processed as it comes
  Scenario: Process Each Event
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: listen-foreach
      version: '1.0.0'
    do:
      - both:
          fork:
            branches:
              - hear:
                  listen:
                    to:
                      any:
                        - with:
                            type: com.example.foreach.pulse
                      until: ( . | length ) == 2
                  foreach:
                    item: event
                    at: number
                    do:
                      - take:
                          set:
                            number: ${ $number }
                            bpm: ${ $event.bpm }
              - tell:
                  do:
                    - first:
                        emit:
                          event:
                            with:
                              source: https://example.com/sensors
                              type: com.example.foreach.pulse
                              data: { bpm: 70 }
                    - second:
                        emit:
                          event:
                            with:
                              source: https://example.com/sensors
                              type: com.example.foreach.pulse
                              data: { bpm: 80 }
          output:
            as: .[0]
    """
    When the workflow is executed
    Then the workflow should complete
    And take should run 2 times
