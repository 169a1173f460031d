#!/usr/bin/env python3
"""Golden values of PyTorch, torchvision, timm and Pillow for dawngrad: python3 golden.py [golden.safetensors]

Reads cases.json beside this file. Parameters, pictures and permutations are not stored: both sides make them from a hash of
a tensor's name and an element's index (`units`), so that full-size networks fit too. Computed in float64 on the CPU, stored
as f32. A tensor of more than `limit` elements is stored as `limit` hashed samples (`<name>@s`) and its L2 norm and sum
(`<name>@n`). Names inside a case are torchvision's, timm's and facebookresearch's.

  --only REGEX    cases to run            --no-torch    only what numpy can tell (augmentation, optimizers, k-NN, schedules)
  --device cuda   where torch computes (float64 all the same)
"""
import argparse
import json
import math
import os
import re
import struct
import sys
import time

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))

# ----------------------------------------------------------------------------------------------- numbers both sides make


def mix(x):
    """A bijection of 32-bit numbers that scatters them; `x` is a uint32 array and is overwritten."""
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x7FEB352D)
    x ^= x >> np.uint32(15)
    x *= np.uint32(0x846CA68B)
    x ^= x >> np.uint32(16)
    return x


def name_hash(name):
    h = 0x811C9DC5
    for byte in name.encode():
        h = ((h ^ byte) * 0x01000193) & 0xFFFFFFFF
    return np.uint32(h)


def units(name, n):
    """n numbers in [0, 1), multiples of 2^-24."""
    return (mix(mix(np.arange(n, dtype=np.uint32)) ^ name_hash(name)) >> np.uint32(8)).astype(np.float64) * 2.0**-24


def even(name, shape, offset=0.0, bound=1.0):
    """offset + U(±bound), rounded to f32."""
    n = int(np.prod(shape)) if len(shape) else 1
    return (offset + bound * (2.0 * units(name, n) - 1.0)).astype(np.float32).reshape(shape)


def initial(name, shape):
    """A parameter or running statistic as every case begins with it. The momentum encoder shares the frozen patch projection."""
    name = name.replace("momentum_encoder.patch_embed", "base_encoder.patch_embed")
    if name.endswith("running_var"):
        return even(name, shape, 1.25, 0.25)
    if name.endswith("running_mean"):
        return even(name, shape, 0.0, 0.1)
    if len(shape) == 1:
        return even(name, shape, 1.0, 0.2) if name.endswith("weight") else even(name, shape, 0.0, 0.1)
    if len(shape) == 2:
        return even(name, shape, 0.0, math.sqrt(3.0 / shape[1]))
    if len(shape) == 4:
        return even(name, shape, 0.0, math.sqrt(6.0 / (shape[1] * shape[2] * shape[3])))
    return even(name, shape, 0.0, 0.5)


def permutation(name, n):
    return np.argsort(units(name, n), kind="stable")


def unit_columns(name, dim, K):
    """A queue [dim, K] of columns of length 1."""
    q = even(name, (dim, K)).astype(np.float64)
    return (q / np.sqrt((q * q).sum(0, keepdims=True))).astype(np.float32)


def picture(H, W):
    """A smooth picture with grain and some exact ties, u8 [H, W, 3]."""
    u = units("picture", H * W * 3).reshape(H, W, 3)
    i, j = np.mgrid[0:H, 0:W]
    base = np.stack([(5 * i + 2 * j) % 256, (3 * j + 40) % 256, (200 - 4 * i + j) % 256], -1)
    x = np.clip(base + np.floor(61 * u) - 30, 0, 255).astype(np.uint8)
    x[:4, :4] = [[128, 128, 128]]
    x[4:8, :4] = [[127, 128, 127]]
    x[:4, 4:8] = [[0, 0, 0]]
    x[4:8, 4:8] = [[255, 0, 255]]
    return x


# ------------------------------------------------------------------------------------------------------------ the file


class Golden:
    def __init__(self, limit):
        self.limit, self.tensors = limit, {}

    def put(self, name, values):
        a = np.asarray(values, dtype=np.float64)
        flat = a.reshape(-1)
        if not np.isfinite(flat).all():
            raise ValueError(f"{name}: not finite")
        if flat.size <= self.limit:
            self.tensors[name] = a.astype(np.float32)
            return
        at = mix(np.arange(self.limit, dtype=np.uint32) + np.uint32(1)).astype(np.int64) % flat.size
        self.tensors[f"{name}@s"] = flat[at].astype(np.float32)
        self.tensors[f"{name}@n"] = np.array([math.sqrt((flat * flat).sum()), flat.sum()], dtype=np.float32)

    def write(self, path, metadata):
        header, offset, blobs = {"__metadata__": metadata}, 0, []
        for name in sorted(self.tensors):
            a = np.ascontiguousarray(self.tensors[name])
            blob = a.astype("<f4").tobytes()
            header[name] = {"dtype": "F32", "shape": list(a.shape), "data_offsets": [offset, offset + len(blob)]}
            offset += len(blob)
            blobs.append(blob)
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        with open(path, "wb") as f:
            f.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))
        size = os.path.getsize(path)
        print(f"{path}: {len(self.tensors)} tensors, {size / 1e6:.2f} MB")
        if size > 8_000_000:
            sys.exit("larger than 8 MB")


# --------------------------------------------------------------------------------------------------- what numpy can tell

GREY = np.array([0.299, 0.587, 0.114])


def resize_axis(x, to):
    """Pillow's bilinear filter along axis 0, in float64 and without its rounding to 8 bits."""
    scale = x.shape[0] / to
    reach = max(scale, 1.0)
    centres = (np.arange(to) + 0.5) * scale
    taps = np.arange(x.shape[0]) + 0.5
    weights = np.maximum(0.0, 1.0 - np.abs(taps[None, :] - centres[:, None]) / reach)
    weights /= weights.sum(1, keepdims=True)
    return np.tensordot(weights, x, (1, 0))


def blur_axis(x, sigma):
    """Pillow's Gaussian blur along axis 0: three times the mean over a box of variance sigma² / 3 with fractional ends, edges
    repeated before each, in float64 and without its rounding to 8 bits."""
    variance = sigma * sigma / 3
    whole = math.floor((math.sqrt(12 * variance + 1) - 1) / 2)
    end = (2 * whole + 1) * (whole * (whole + 1) - 3 * variance) / (6 * (variance - (whole + 1) ** 2))
    w = np.array([end] + [1.0] * (2 * whole + 1) + [end]) / (2 * (whole + end) + 1)
    at = np.clip(np.arange(x.shape[0])[:, None] + np.arange(-whole - 1, whole + 2)[None, :], 0, x.shape[0] - 1)
    for _ in range(3):
        x = np.einsum("t,it...->i...", w, x[at])
    return x


def turn_hue(x, turn):
    import colorsys

    flat = x.reshape(-1, 3)
    out = np.empty_like(flat)
    for i, (r, g, b) in enumerate(flat):
        h, s, v = colorsys.rgb_to_hsv(r, g, b)
        out[i] = colorsys.hsv_to_rgb((h + turn) % 1.0, s, v)
    return out.reshape(x.shape)


def exact_augment(u8, item):
    """What Pillow's operations mean, in float64 on [0, 1] and without rounding to 8 bits between them. [h, w, 3]."""
    x = u8.astype(np.float64) / 255.0
    if "crop" in item:
        top, left, h, w = item["crop"]
        x = x[top : top + h, left : left + w]
        x = resize_axis(x, item["size"][0])
        x = resize_axis(x.swapaxes(0, 1), item["size"][1]).swapaxes(0, 1)
    for op, f in item.get("steps", []):
        grey = (x @ GREY)[..., None]
        if op == "hue":
            x = turn_hue(x, f)
            continue
        other = {"brightness": np.zeros_like(grey), "contrast": np.full_like(grey, grey.mean()), "saturation": grey, "grey": grey}[op]
        x = np.clip(f * x + (1.0 - f) * other, 0.0, 1.0)
    if "sigma" in item:
        x = blur_axis(x, item["sigma"])
        x = blur_axis(x.swapaxes(0, 1), item["sigma"]).swapaxes(0, 1)
    if item.get("solarize"):
        x = np.where(x < 0.5, x, 1.0 - x)
    return x[:, ::-1] if item.get("flip") else x


def optimizers_numpy(c):
    """Three steps of each optimizer by its formula. {name: [state of each step]}"""
    result = {}
    for kind in ("sgd", "lars", "adamw"):
        o = c[kind]
        ws = {n: (np.zeros(s) if n.startswith("zero") else initial(f"optim/{n}", s).astype(np.float64)) for n, s in c["tensors"]}
        first = {n: np.zeros_like(w) for n, w in ws.items()}
        second = {n: np.zeros_like(w) for n, w in ws.items()}
        steps = []
        for t in range(c["steps"]):
            lr = c["lr"][t]
            for n, s in c["tensors"]:
                w, g = ws[n], even(f"optim/grad/{n}/{t}", s).astype(np.float64)
                if kind == "sgd":
                    first[n] = o["momentum"] * first[n] + g + o["weightDecay"] * w
                    ws[n] = w - lr * first[n]
                elif kind == "lars":
                    if w.ndim > 1:
                        g = g + o["weightDecay"] * w
                        a, b = np.sqrt((w * w).sum()), np.sqrt((g * g).sum())
                        g = g * (o["trust"] * a / b if a > 0 and b > 0 else 1.0)
                    first[n] = o["momentum"] * first[n] + g
                    ws[n] = w - lr * first[n]
                else:
                    w = w * (1 - lr * o["weightDecay"])
                    first[n] = 0.9 * first[n] + 0.1 * g
                    second[n] = 0.999 * second[n] + 0.001 * g * g
                    mean, square = first[n] / (1 - 0.9 ** (t + 1)), second[n] / (1 - 0.999 ** (t + 1))
                    ws[n] = w - lr * mean / (np.sqrt(square) + 1e-8)
            steps.append({n: (ws[n].copy(), first[n].copy(), second[n].copy()) for n in ws})
        result[kind] = steps
    return result


def knn_numpy(c):
    centre = even("knn/centre", (c["classes"], c["size"])).astype(np.float64)

    def features(name, n):
        labels = np.floor(units(f"knn/{name}/labels", n) * c["classes"]).astype(int)
        x = (0.45 * centre[labels] + even(f"knn/{name}/x", (n, c["size"])).astype(np.float64)).astype(np.float32).astype(np.float64)
        return x / np.linalg.norm(x, axis=1, keepdims=True), labels

    bank, bank_labels = features("bank", c["bank"])
    queries, labels = features("queries", c["queries"])
    s = queries @ bank.T
    order = np.argsort(-s, axis=1, kind="stable")
    out = []
    for k, T in c["cells"]:
        near = order[:, :k]
        votes = np.zeros((len(queries), c["classes"]))
        for i in range(len(queries)):
            np.add.at(votes[i], bank_labels[near[i]], np.exp(s[i, near[i]] / T))
        out.append((votes.argmax(1) == labels).mean())
    return out


def schedules():
    """lr and m of MoCo's code: v2 and Colab an epoch, v3 a step; v1's milestones."""
    cos = lambda base, t: base * 0.5 * (1 + math.cos(math.pi * t))
    v3 = lambda base, e, w, E: base * e / w if e < w else cos(base, (e - w) / (E - w))
    return {
        "v2": [cos(0.03, e / 200) for e in (0, 1, 100, 199)],
        "colab": [cos(0.06, e / 200) for e in (1, 2, 101, 200)],
        "v1": [0.03 * 0.1 ** sum(e >= m for m in (120, 160)) for e in (0, 119, 120, 159, 160, 199)],
        "v3": [v3(9.6, e, 10, 100) for e in (0, 0.25, 9.75, 10, 55.5, 99.75)],
        "v3_m": [1 - 0.5 * (1 + math.cos(math.pi * e / 100)) * (1 - 0.99) for e in (0, 0.25, 50, 99.75)],
    }


def positions_numpy(h, w, width):
    """moco-v3's table, with what its meshgrid does: the first half of the channels tells the row."""
    omega = 1.0 / 10000.0 ** (np.arange(width // 4) / (width // 4))
    row, column = np.mgrid[0:h, 0:w]
    a, b = row.reshape(-1, 1) * omega, column.reshape(-1, 1) * omega
    return np.concatenate([np.zeros((1, width)), np.concatenate([np.sin(a), np.cos(a), np.sin(b), np.cos(b)], 1)])[None]


def numpy_cases(golden, cases, wanted):
    golden.put("generator/check", np.concatenate([even("a", (7,)), initial("conv1.weight", (4, 3, 3, 3)).reshape(-1), unit_columns("q", 4, 5).reshape(-1), permutation("p", 9)]))
    p = cases["picture"]
    u8 = picture(p["H"], p["W"])
    golden.put("generator/picture", u8)
    for name, item in cases["augment"].items():
        if wanted(f"augment/{name}"):
            golden.put(f"augment/{name}/exact", exact_augment(u8, item))
    if wanted("optim"):
        for kind, steps in optimizers_numpy(cases["optim"]).items():
            for t, state in enumerate(steps):
                for n, (w, first, second) in state.items():
                    golden.put(f"optim/{kind}/{t}/w/{n}", w)
                    golden.put(f"optim/{kind}/{t}/{'m' if kind == 'adamw' else 'velocity'}/{n}", first)
                    if kind == "adamw":
                        golden.put(f"optim/{kind}/{t}/v/{n}", second)
    if wanted("knn"):
        golden.put("knn/accuracy", knn_numpy(cases["knn"]))
    if wanted("schedule"):
        for name, values in schedules().items():
            golden.put(f"schedule/{name}", values)
    if wanted("positions"):
        for h, w, width in cases["positions"]:
            golden.put(f"positions/{h}x{w}x{width}", positions_numpy(h, w, width))


# -------------------------------------------------------------------------------------------------- what torch can tell


def torch_cases(golden, cases, wanted, device):
    import torch
    import torch.nn as nn
    import torch.nn.functional as F
    import torchvision
    from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet

    torch.manual_seed(0)
    torch.use_deterministic_algorithms(False)
    print(f"torch {torch.__version__}, torchvision {torchvision.__version__}, numpy {np.__version__}, on {device}")

    put = lambda name, t: golden.put(name, t.detach().cpu().double().numpy() if isinstance(t, torch.Tensor) else t)
    made = lambda a: torch.from_numpy(np.ascontiguousarray(a)).to(device=device, dtype=torch.float64)

    class SplitNorm(nn.BatchNorm2d):
        """Batch norm of `splits` interleaved parts of a batch: sample n belongs to part n mod splits."""

        splits = 1

        def forward(self, x):
            if not self.training or self.splits == 1:
                return super().forward(x)
            n, c, h, w = x.shape
            parts = x.reshape(n // self.splits, self.splits, c, h, w)
            mean = parts.mean((0, 3, 4))
            rows = n // self.splits * h * w
            var = ((parts - mean[:, :, None, None]) ** 2).mean((0, 3, 4))
            y = (parts - mean[:, :, None, None]) / torch.sqrt(var[:, :, None, None] + self.eps)
            with torch.no_grad():
                self.running_mean += self.momentum * (mean.mean(0) - self.running_mean)
                self.running_var += self.momentum * ((var * rows / (rows - 1)).mean(0) - self.running_var)
            return (y * self.weight[:, None, None] + self.bias[:, None, None]).reshape(n, c, h, w)

    def norm_of(splits):
        def build(channels):
            norm = SplitNorm(channels)
            norm.splits = splits
            return norm

        return build

    class AnyResNet(ResNet):
        """torchvision's blocks, stages and forward with other widths, numbers of stages and stems; the features where it has its fc."""

        def __init__(self, c, splits=1):
            nn.Module.__init__(self)
            block = Bottleneck if c.get("bottleneck") else BasicBlock
            norm = norm_of(splits)
            self._norm_layer, self.inplanes, self.dilation, self.groups, self.base_width = norm, c["widths"][0], 1, 1, 64
            imagenet = c.get("stem") == "imagenet"
            self.conv1 = nn.Conv2d(3, self.inplanes, 7 if imagenet else 3, 2 if imagenet else 1, 3 if imagenet else 1, bias=False)
            self.bn1 = norm(self.inplanes)
            self.relu = nn.ReLU(inplace=True)
            self.maxpool = nn.MaxPool2d(3, 2, 1) if imagenet else nn.Identity()
            for i in range(4):
                stage = self._make_layer(block, c["widths"][i], c["blocks"][i], stride=2 if i else 1) if i < len(c["blocks"]) else nn.Identity()
                setattr(self, f"layer{i + 1}", stage)
            self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
            self.features = self.inplanes
            self.fc = nn.Identity()

    def positions(model_pos, grid, width):
        """moco-v3: meshgrid in 'ij' order of (w, h), all in torch."""
        a, b = torch.meshgrid(torch.arange(grid, dtype=torch.float64), torch.arange(grid, dtype=torch.float64), indexing="ij")
        omega = 1.0 / 10000.0 ** (torch.arange(width // 4, dtype=torch.float64) / (width // 4))
        a, b = a.flatten()[:, None] * omega, b.flatten()[:, None] * omega
        table = torch.cat([torch.sin(a), torch.cos(a), torch.sin(b), torch.cos(b)], 1)
        table = torch.cat([torch.zeros(1, width, dtype=torch.float64), table])[None]
        with torch.no_grad():
            model_pos.copy_(table.float())  # moco-v3 keeps it as f32
        model_pos.requires_grad = False

    def vit_of(c):
        """timm's VisionTransformer as moco-v3 configures it, without a head."""
        from functools import partial

        from timm.models.vision_transformer import VisionTransformer

        model = VisionTransformer(
            img_size=c["size"], patch_size=c["patch"], embed_dim=c["width"], depth=c["depth"], num_heads=c["heads"], mlp_ratio=4, qkv_bias=True,
            norm_layer=partial(nn.LayerNorm, eps=1e-6), num_classes=0,
        )
        assert isinstance(model.head, nn.Identity) and isinstance(model.fc_norm, nn.Identity) and model.norm.eps == 1e-6
        model = model.double()
        positions(model.pos_embed, c["size"] // c["patch"], c["width"])
        model.features = c["width"]
        return model

    def load(model, prefix=""):
        with torch.no_grad():
            for name, t in model.state_dict().items():
                if not name.endswith(("num_batches_tracked", "pos_embed")):
                    t.copy_(made(initial(prefix + name, tuple(t.shape))))
        return model

    def each(model):
        for name, t in model.state_dict().items():
            if not name.endswith("num_batches_tracked"):
                yield name, t

    # ---- features and gradients of single networks

    def run_features(case, c):
        model = AnyResNet(c) if c["kind"] == "resnet" else vit_of(c)
        if "torchvision" in c:  # the same tensors as torchvision's own
            own = getattr(torchvision.models, c["torchvision"])(weights=None).state_dict()
            mine = {n: tuple(t.shape) for n, t in model.state_dict().items()}
            theirs = {n: tuple(t.shape) for n, t in own.items() if not n.startswith("fc.")}
            if c["stem"] == "cifar":
                theirs["conv1.weight"] = (64, 3, 3, 3)
            assert mine == theirs, set(mine.items()) ^ set(theirs.items())
        load(model.to(device).double()).train()
        x = made(even(f"{case}/x", (c["N"], 3, c["size"], c["size"]), 0.0, 1.75))
        y = model(x)
        (y * made(even(f"{case}/G", tuple(y.shape)))).sum().backward()
        put(f"{case}/y", y)
        for name, p in model.named_parameters():
            if p.requires_grad:
                put(f"{case}/grad/{name}", p.grad)
        for name, t in each(model):
            if "running_" in name:
                put(f"{case}/after/{name}", t)

    # ---- MoCo v1 and v2

    def run_moco(case, c):
        def encoder(prefix):
            net = AnyResNet(c, c["splits"])
            f = net.features
            net.fc = nn.Linear(f, c["dim"]) if c["head"] == "linear" else nn.Sequential(nn.Linear(f, f), nn.ReLU(), nn.Linear(f, c["dim"]))
            return load(net.to(device).double(), prefix).train()

        query, key = encoder("encoder_q."), encoder("encoder_k.")
        queue, ptr = made(unit_columns(f"{case}/queue", c["dim"], c["K"])), c["ptr"]
        optimizer = torch.optim.SGD(query.parameters(), lr=0.1, momentum=c["momentum"], weight_decay=c["weightDecay"])
        N = c["N"]
        for t, (m, lr) in enumerate(zip(c["m"], c["lr"])):
            x1, x2 = (made(even(f"{case}/x{v}/{t}", (N, 3, c["size"], c["size"]), 0.0, 1.75)) for v in (1, 2))
            order = torch.from_numpy(permutation(f"{case}/order/{t}", N)).to(device)
            back = torch.argsort(order)
            with torch.no_grad():
                for pk, pq in zip(key.parameters(), query.parameters()):
                    pk.copy_(pk * m + pq * (1.0 - m))

            def look_up(a, b):
                q = F.normalize(query(a), dim=1)
                with torch.no_grad():
                    k = F.normalize(key(b[order]), dim=1)[back]
                logits = torch.cat([(q * k).sum(1, keepdim=True), q @ queue], 1) / c["T"]
                return F.cross_entropy(logits, torch.zeros(N, dtype=torch.long, device=device)), k

            loss, k2 = look_up(x1, x2)
            keys = k2
            if c["symmetric"]:
                other, k1 = look_up(x2, x1)
                loss, keys = loss + other, torch.cat([k1, k2])
            optimizer.zero_grad()
            loss.backward()
            for group in optimizer.param_groups:
                group["lr"] = lr
            optimizer.step()
            queue[:, ptr : ptr + len(keys)] = keys.T  # the cases let K divide
            ptr = (ptr + len(keys)) % c["K"]
            put(f"{case}/loss/{t}", loss)
        for prefix, net in (("encoder_q.", query), ("encoder_k.", key)):
            for name, t in each(net):
                put(f"{case}/end/{prefix}{name}", t)
        put(f"{case}/end/queue", queue)
        put(f"{case}/end/queue_ptr", [ptr])
        for name, p in query.named_parameters():
            put(f"{case}/end/optimizer.velocity.{name}", optimizer.state[p]["momentum_buffer"])

    # ---- MoCo v3

    class Lars(torch.optim.Optimizer):
        """As moco-v3 defines it: tensors of one axis are neither decayed nor scaled."""

        def __init__(self, params, momentum, weight_decay, trust=0.001):
            super().__init__(params, dict(lr=0.0, momentum=momentum, weight_decay=weight_decay, trust=trust))

        @torch.no_grad()
        def step(self):
            for g in self.param_groups:
                for p in g["params"]:
                    if p.grad is None:
                        continue
                    update = p.grad
                    if p.ndim > 1:
                        update = update + g["weight_decay"] * p
                        a, b = float(p.norm()), float(update.norm())
                        if a > 0 and b > 0:
                            update = update * (g["trust"] * a / b)
                    state = self.state[p]
                    state["mu"] = g["momentum"] * state.get("mu", torch.zeros_like(p)) + update
                    p -= g["lr"] * state["mu"]

    def perceptron(widths, last_norm):
        layers = []
        for i, (a, b) in enumerate(zip(widths, widths[1:])):
            layers.append(nn.Linear(a, b, bias=False))
            if i < len(widths) - 2:
                layers += [nn.BatchNorm1d(b), nn.ReLU()]
            elif last_norm:
                layers.append(nn.BatchNorm1d(b, affine=False))
        return nn.Sequential(*layers)

    def run_v3(case, c):
        vit = c["model"].startswith("vit")

        def encoder(prefix):
            net = vit_of(c) if vit else AnyResNet(c)
            f, hidden, dim = net.features, c["hidden"], c["dim"]
            if vit:
                net.head = perceptron([f, hidden, hidden, dim], True)
                for p in net.patch_embed.proj.parameters():
                    p.requires_grad = False
            else:
                net.fc = perceptron([f, hidden, dim], True)
            return load(net.to(device).double(), prefix).train()

        base, momentum_encoder = encoder("base_encoder."), encoder("momentum_encoder.")
        for p in momentum_encoder.parameters():
            p.requires_grad = False
        predictor = load(perceptron([c["dim"], c["hidden"], c["dim"]], vit).to(device).double(), "predictor.").train()
        trained = [*base.parameters(), *predictor.parameters()]
        if c["optimizer"] == "lars":
            optimizer = Lars(trained, c["momentum"], c["weightDecay"])
        else:
            optimizer = torch.optim.AdamW(trained, lr=0.1, weight_decay=c["weightDecay"])
        N, T = c["N"], c["T"]

        def contrast(q, k):
            logits = F.normalize(q, dim=1) @ F.normalize(k, dim=1).T / T
            return F.cross_entropy(logits, torch.arange(N, device=device)) * (2 * T)

        for t, (m, lr) in enumerate(zip(c["m"], c["lr"])):
            x1, x2 = (made(even(f"{case}/x{v}/{t}", (N, 3, c["size"], c["size"]), 0.0, 1.75)) for v in (1, 2))
            for group in optimizer.param_groups:
                group["lr"] = lr
            q1, q2 = predictor(base(x1)), predictor(base(x2))
            with torch.no_grad():
                for pm, pb in zip(momentum_encoder.parameters(), base.parameters()):
                    pm.copy_(pm * m + pb * (1.0 - m))
                k1, k2 = momentum_encoder(x1), momentum_encoder(x2)
            loss = contrast(q1, k2) + contrast(q2, k1)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            put(f"{case}/loss/{t}", loss)
        for prefix, net in (("base_encoder.", base), ("momentum_encoder.", momentum_encoder), ("predictor.", predictor)):
            for name, t in each(net):
                put(f"{case}/end/{prefix}{name}", t)
        for prefix, net in (("base_encoder.", base), ("predictor.", predictor)):
            for name, p in net.named_parameters():
                state = optimizer.state.get(p, {})
                for theirs, ours in (("mu", "velocity"), ("exp_avg", "m"), ("exp_avg_sq", "v")):
                    if theirs in state:
                        put(f"{case}/end/optimizer.{ours}.{prefix}{name}", state[theirs])

    # ---- optimizers of torch against the formulas above

    def check_optimizers(c):
        by_formula = optimizers_numpy(c)
        for kind, build in (
            ("sgd", lambda ps: torch.optim.SGD(ps, lr=0.1, momentum=c["sgd"]["momentum"], weight_decay=c["sgd"]["weightDecay"])),
            ("lars", lambda ps: Lars(ps, c["lars"]["momentum"], c["lars"]["weightDecay"], c["lars"]["trust"])),
            ("adamw", lambda ps: torch.optim.AdamW(ps, lr=0.1, weight_decay=c["adamw"]["weightDecay"])),
        ):
            ps = {n: nn.Parameter(torch.zeros(*s, dtype=torch.float64) if n.startswith("zero") else torch.from_numpy(initial(f"optim/{n}", tuple(s))).double()) for n, s in c["tensors"]}
            optimizer = build(list(ps.values()))
            for t in range(c["steps"]):
                for n, s in c["tensors"]:
                    ps[n].grad = torch.from_numpy(even(f"optim/grad/{n}/{t}", tuple(s))).double()
                for group in optimizer.param_groups:
                    group["lr"] = c["lr"][t]
                optimizer.step()
                for n in ps:
                    np.testing.assert_allclose(ps[n].detach().numpy(), by_formula[kind][t][n][0], rtol=1e-9, atol=1e-11, err_msg=f"{kind} {t} {n}")
        print("optimizers of torch = formulas")

    # ---- Pillow and torchvision

    def run_augment(name, item, u8):
        import torchvision.transforms.functional as TF
        from PIL import Image, ImageFilter, ImageOps

        img = Image.fromarray(u8)
        x = torch.from_numpy(u8).permute(2, 0, 1).double() / 255
        if "crop" in item:
            top, left, h, w = item["crop"]
            how = (top, left, h, w, item["size"], TF.InterpolationMode.BILINEAR)
            img = TF.resized_crop(img, *how)
            try:
                x = TF.resized_crop(x, *how, antialias=True)
            except RuntimeError:  # no antialiasing in float64
                x = TF.resized_crop(x.float(), *how, antialias=True).double()
        for op, f in item.get("steps", []):
            if op == "grey":
                img, x = TF.rgb_to_grayscale(img, 3), TF.rgb_to_grayscale(x, 3)
            else:
                adjust = getattr(TF, f"adjust_{op}")
                img, x = adjust(img, f), adjust(x, f).double()
        if "sigma" in item:
            img = img.filter(ImageFilter.GaussianBlur(radius=float(item["sigma"])))
        if item.get("solarize"):
            img, x = ImageOps.solarize(img), torch.where(x < 0.5, x, 1 - x)
        if item.get("flip"):
            img, x = TF.hflip(img), TF.hflip(x)
        golden.put(f"augment/{name}/pillow", np.asarray(img).astype(np.float64) / 255)
        if "sigma" not in item:  # torchvision's blur is a sampled Gaussian, which MoCo's code does not use
            golden.put(f"augment/{name}/torchvision", x.permute(1, 2, 0).double().numpy())

    # ---- all of them

    def timed(case, work):
        if not wanted(case):
            return
        began = time.time()
        work()
        print(f"{case}: {time.time() - began:.1f} s", flush=True)

    for case, c in cases["features"].items():
        timed(f"features/{case}", lambda: run_features(f"features/{case}", c))
    for case, c in cases["moco"].items():
        timed(f"moco/{case}", lambda: run_moco(f"moco/{case}", c))
    for case, c in cases["v3"].items():
        timed(f"v3/{case}", lambda: run_v3(f"v3/{case}", c))
    timed("optim", lambda: check_optimizers(cases["optim"]))
    for h, w, width in cases["positions"]:
        table = torch.zeros(1, 1 + h * w, width)
        positions(table, h, width)
        np.testing.assert_allclose(table.numpy(), positions_numpy(h, w, width), atol=1e-6)
    u8 = picture(cases["picture"]["H"], cases["picture"]["W"])
    for name, item in cases["augment"].items():
        if wanted(f"augment/{name}"):
            try:
                run_augment(name, item, u8)
            except Exception as error:  # one function that a version lacks must not cost the rest
                print(f"augment/{name}: {type(error).__name__}: {error}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", nargs="?", default="golden.safetensors")
    parser.add_argument("--only", default="")
    parser.add_argument("--no-torch", action="store_true")
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args()
    with open(os.path.join(HERE, "cases.json")) as f:
        cases = json.load(f)
    golden = Golden(cases["limit"])
    wanted = lambda case: re.search(args.only, case) is not None
    numpy_cases(golden, cases, wanted)
    metadata = {"cases": json.dumps(cases), "made_by": "golden.py"}
    if not args.no_torch:
        torch_cases(golden, cases, wanted, args.device)
        import torch
        import torchvision

        metadata.update(torch=torch.__version__, torchvision=torchvision.__version__)
    golden.write(args.out, metadata)


if __name__ == "__main__":
    main()
