/** A model of one's own: a network with a skip connection. Its tensors are named after its fields, as PyTorch would. */
import { BatchNorm, Conv2d, device, globalAvgPool, Linear, Module, ones, summary, type Tensor } from 'dawngrad';

class SkipNet extends Module {
  readonly features = 16;
  readonly conv1 = new Conv2d(3, 16, 3, { stride: 2, padding: 1 });
  readonly bn1 = new BatchNorm(16);
  readonly conv2 = new Conv2d(16, 16, 3, { padding: 1 });
  readonly bn2 = new BatchNorm(16);
  readonly fc = new Linear(16, 10);

  forward(x: Tensor): Tensor {
    const y = this.bn1.call(this.conv1.call(x), { relu: true });
    return this.fc.call(globalAvgPool(this.bn2.call(this.conv2.call(y), { relu: true, residual: y })));
  }
}

await device();
const model = new SkipNet();
console.log(String(summary(model, [1, 32, 32, 3])));
console.log(`scores ${JSON.stringify(model.call(ones([2, 32, 32, 3])).shape)}`);
