/** The keys about traces and log lines. What a `description` must read like: config/schema.ts. */
import { secret } from './schema-parts.ts';

export const telemetryKeys = {
  telemetry: {
    type: 'object',
    additionalProperties: false,
    description: 'What other systems are told of how the gate does. Metrics are at /metrics always.',
    properties: {
      traces: {
        type: 'object',
        required: ['url'],
        additionalProperties: false,
        properties: {
          url: {
            type: 'string',
            maxLength: 2000,
            pattern: '^https?://[^\\s]+$',
            description: 'an http or https URL that takes OTLP, such as https://otel.example.com/v1/traces',
          },
          headers: {
            type: 'object',
            maxProperties: 32,
            propertyNames: {
              pattern: "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$",
              description: 'the name of an HTTP header',
            },
            additionalProperties: secret,
          },
          sample: {
            type: 'number',
            minimum: 0,
            maximum: 1,
            description: 'a number from 0 to 1: the share of traces that is kept',
          },
          people: { type: 'boolean', description: 'Names people by their ids in spans.' },
        },
      },
    },
  },
  logging: {
    type: 'object',
    additionalProperties: false,
    description: 'What the gate writes to standard error.',
    properties: {
      format: {
        enum: ['auto', 'json', 'text'],
        description: 'auto, json or text; auto is text on a terminal, else json',
      },
      level: {
        enum: ['debug', 'info', 'warn', 'error'],
        description: 'debug, info, warn or error; debug adds a line for each request',
      },
    },
  },
} as const;
