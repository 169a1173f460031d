import { ConfigError } from '../core/errors.js';
import type { Tensor } from '../tensor/tensor.js';
import { Module } from './module.js';

/** Modules under names of their own, for one optimizer to train. */
export class Group extends Module {
  readonly #members: [string, Module][];

  constructor(members: Record<string, Module>) {
    super();
    this.#members = Object.entries(members);
  }

  override children(): [string, Module][] {
    return this.#members;
  }

  forward(_: Tensor): Tensor {
    throw new ConfigError(
      `forward: a group must only hold modules; got an input. ` +
        `Call one of ${this.#members.map(([name]) => name).join(', ')}.`,
    );
  }
}
