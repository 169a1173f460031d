import { onShapes } from '../backend/shapes.js';
import { checkConfig, type PretrainConfig } from './config.js';
import { createMethod } from './create.js';

/**
 * Checks all of a configuration that does not depend on how many pictures there are, its model among it. @throws
 * ConfigError
 */
export function checkMethod(config: PretrainConfig): void {
  checkConfig(config, Infinity);
  onShapes(() => createMethod(config, 1));
}
