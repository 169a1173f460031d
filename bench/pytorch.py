"""Pictures a second of a MoCo v2 step of ResNet-50 in PyTorch, told below dawngrad's table by

    pip install torch torchvision; npm run bench -- moco-step --full --no-peers --pytorch

224 pixels, batch 256, K 65,536: the step of dawngrad's record, on views that are on the device. Not run by dawngrad's authors.
"""
import time

import torch
import torch.nn.functional as F
from torchvision.models import resnet50

N, K, DIM, T, M, STEPS = 256, 65536, 128, 0.2, 0.999, 20


def encoder():
    net = resnet50(num_classes=DIM)
    net.fc = torch.nn.Sequential(torch.nn.Linear(2048, 2048), torch.nn.ReLU(), net.fc)
    return net.cuda()


def measure(name, amp=False, tf32=False):
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
    torch.backends.cudnn.benchmark = True
    layout = torch.channels_last if amp else torch.contiguous_format
    q_net, k_net = encoder().to(memory_format=layout), encoder().to(memory_format=layout)
    k_net.load_state_dict(q_net.state_dict())
    optimizer = torch.optim.SGD(q_net.parameters(), lr=0.03, momentum=0.9, weight_decay=1e-4)
    queue = F.normalize(torch.randn(K, DIM, device="cuda"))
    x_q, x_k = (torch.randn(N, 3, 224, 224, device="cuda").to(memory_format=layout) for _ in range(2))
    scaler = torch.amp.GradScaler("cuda", enabled=amp)
    target, at = torch.zeros(N, dtype=torch.long, device="cuda"), 0

    def step(at):
        with torch.autocast("cuda", enabled=amp):
            q = F.normalize(q_net(x_q))
            with torch.no_grad():
                torch._foreach_lerp_(list(k_net.parameters()), list(q_net.parameters()), 1 - M)
                k = F.normalize(k_net(x_k))
            logits = torch.cat([(q * k).sum(1, keepdim=True), q @ queue.T.to(q.dtype)], 1).float() / T
            loss = F.cross_entropy(logits, target)
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        queue[at : at + N] = k
        return (at + N) % K

    for i in range(STEPS + 5):
        if i == 5:
            torch.cuda.synchronize()
            start = time.perf_counter()
        at = step(at)
    torch.cuda.synchronize()
    print(f"{name}: {N * STEPS / (time.perf_counter() - start):.0f} pictures/s")


measure("fp32")
measure("TF32", tf32=True)
measure("AMP, channels last", amp=True, tf32=True)
