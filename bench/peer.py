#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What a PyTorch user writes to train the networks of training_networks.h.

As it stands: float32, NCHW, PyTorch's default threads, a DataLoader over PIL images with
torchvision's transforms. --tuned is the same after an afternoon of tuning: channels-last, two
threads, two loader workers, bf16 autocast where the processor multiplies it fast (elsewhere autocast is
slower than float32).

  peer.py NETWORK RECORDS [--batch N] [--threads N] [--tuned]
      talks to bench/training.mjs line by line: "run LEAD COUNT" trains LEAD steps, then COUNT more,
      and answers with the nanoseconds of wall clock and of processor time that the latter took
  peer.py NETWORK RECORDS --fit TEST [--epochs N] [--seed N] [--tuned]
      trains and prints the share of TEST that is right after the last epoch

Records are one byte of label, then the pixels plane by plane (records.h).
"""

import argparse
import json
import math
import sys
import time

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

CLASSES = 10
SHAPES = {"fashion-vgg": (1, 28, 28)}


def conv_bn(inputs, outputs, kernel=3, stride=1):
    return [nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(outputs)]


def conv_bn_relu(inputs, outputs, stride=1):
    return [*conv_bn(inputs, outputs, 3, stride), nn.ReLU(inplace=True)]


class Block(nn.Module):
    """He et al. 2016, with a projection where the shape changes."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.residual = nn.Sequential(*conv_bn_relu(inputs, outputs, stride),
                                      *conv_bn(outputs, outputs))
        same = inputs == outputs and stride == 1
        self.shortcut = (nn.Identity() if same
                         else nn.Sequential(*conv_bn(inputs, outputs, 1, stride)))

    def forward(self, x):
        return nn.functional.relu(self.residual(x) + self.shortcut(x))


def vgg(inputs, width):
    layers = []
    for channels in (width, 2 * width, 4 * width):
        layers += [*conv_bn_relu(inputs, channels), *conv_bn_relu(channels, channels),
                   nn.MaxPool2d(2)]
        inputs = channels
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                         nn.Linear(inputs, CLASSES))


def resnet(blocks, width):
    layers = conv_bn_relu(3, 16)
    inputs = 16
    for stage in range(3):
        for block in range(blocks):
            outputs = width << stage
            layers.append(Block(inputs, outputs, 2 if stage > 0 and block == 0 else 1))
            inputs = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                         nn.Linear(inputs, CLASSES))


def airbench94():
    layers = [nn.Conv2d(3, 24, 2), nn.ReLU(inplace=True)]
    inputs = 24
    for channels in (64, 256, 256):
        layers += [nn.Conv2d(inputs, channels, 3, padding=1, bias=False), nn.MaxPool2d(2),
                   nn.BatchNorm2d(channels), nn.ReLU(inplace=True),
                   *conv_bn_relu(channels, channels)]
        inputs = channels
    return nn.Sequential(*layers, nn.MaxPool2d(3), nn.Flatten(),
                         nn.Linear(inputs, CLASSES, bias=False))


NETWORKS = {
    "vgg-6": lambda: vgg(3, 32),
    "resnet-20": lambda: resnet(3, 16),
    "wrn-10-4": lambda: resnet(1, 64),
    "airbench94": airbench94,
    "fashion-vgg": lambda: vgg(1, 8),
}


def initialize(network):
    """He et al. 2015; the classifier without the gain of ReLU."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        elif isinstance(module, nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="linear")
        if getattr(module, "bias", None) is not None:
            nn.init.zeros_(module.bias)


class Images(Dataset):
    def __init__(self, file, shape, transform):
        channels, height, width = shape
        records = np.fromfile(file, np.uint8).reshape(-1, 1 + channels * height * width)
        self.labels = records[:, 0].astype(np.int64)
        planes = records[:, 1:].reshape(-1, channels, height, width)
        self.pixels = np.ascontiguousarray(planes.transpose(0, 2, 3, 1))  # [N, H, W, C]
        self.transform = transform

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        pixels = self.pixels[index]
        image = Image.fromarray(pixels if pixels.shape[2] == 3 else pixels[:, :, 0])
        return self.transform(image), self.labels[index]


def training_images(file, shape):
    images = Images(file, shape, None)
    mean = images.pixels.mean((0, 1, 2)) / 255
    deviation = images.pixels.std((0, 1, 2)) / 255
    normalize = [transforms.ToTensor(), transforms.Normalize(mean.tolist(), deviation.tolist())]
    images.transform = transforms.Compose([
        transforms.RandomCrop(shape[1], padding=4 if shape[1] >= 32 else 1),
        transforms.RandomHorizontalFlip(),
        *normalize,
    ])
    return images, transforms.Compose(normalize)


def has_fast_bf16():
    """AMX, or AVX-512's bf16 on AMD's processors, where it takes half the time of float32."""
    with open("/proc/cpuinfo") as file:
        about = file.read()
    return " amx_bf16" in about or (" avx512_bf16" in about and "AuthenticAMD" in about)


class Training:
    def __init__(self, given, total_steps):
        self.shape = SHAPES.get(given.network, (3, 32, 32))
        self.tuned = given.tuned
        self.autocast = given.tuned and has_fast_bf16()
        images, self.test_transform = training_images(given.records, self.shape)
        workers = {"num_workers": 2, "persistent_workers": True} if given.tuned else {}
        self.loader = DataLoader(images, given.batch, shuffle=True, drop_last=True, **workers)
        self.network = NETWORKS[given.network]()
        initialize(self.network)
        if self.tuned:
            self.network = self.network.to(memory_format=torch.channels_last)
        self.loss = nn.CrossEntropyLoss(label_smoothing=0.1)
        self.optimizer = self.make_optimizer()
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, max_lr=0.1, total_steps=total_steps or given.epochs * len(self.loader),
            pct_start=0.2, anneal_strategy="linear", cycle_momentum=False)

    def make_optimizer(self):
        """Weight decay on weights alone, as usual for short schedules."""
        parameters = list(self.network.parameters())
        groups = [{"params": [p for p in parameters if p.dim() > 1], "weight_decay": 5e-4},
                  {"params": [p for p in parameters if p.dim() <= 1], "weight_decay": 0.0}]
        return torch.optim.SGD(groups, lr=0.1, momentum=0.9, nesterov=True)

    def forward(self, images):
        if self.tuned:
            images = images.contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.autocast):
            return self.network(images)

    def step(self, images, labels):
        self.optimizer.zero_grad()
        loss = self.loss(self.forward(images).float(), labels)
        loss.backward()
        self.optimizer.step()
        self.schedule.step()
        return loss.item()

    def accuracy(self, file):
        self.network.eval()
        images = Images(file, self.shape, self.test_transform)
        right = 0
        with torch.no_grad():
            for batch, labels in DataLoader(images, 500):
                right += (self.forward(batch).argmax(1) == labels).sum().item()
        return right / len(images)


def batches(loader):
    while True:
        yield from loader


def serve(given):
    # So many steps that the schedule never ends by itself.
    training = Training(given, total_steps=10_000_000)
    source = batches(training.loader)
    training.step(*next(source))
    parameters = sum(p.numel() for p in training.network.parameters())
    print("ready", json.dumps({"parameters": parameters, "threads": torch.get_num_threads(),
                               "precision": "bf16" if training.autocast else "fp32"}), flush=True)
    for line in sys.stdin:
        word, lead, count = line.split()
        if word != "run":
            sys.exit(f"peer.py: unknown command {word}; there is run LEAD COUNT")
        for _ in range(int(lead)):
            training.step(*next(source))
        wall, busy = time.perf_counter_ns(), time.process_time_ns()
        for _ in range(int(count)):
            training.step(*next(source))
        print(time.perf_counter_ns() - wall, time.process_time_ns() - busy, flush=True)


def fit(given):
    training = Training(given, total_steps=None)
    for _ in range(given.epochs):
        for images, labels in training.loader:
            if not math.isfinite(training.step(images, labels)):
                sys.exit("peer.py: the loss is not finite")
    print(f"{training.accuracy(given.fit):.6f}")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("network", choices=NETWORKS)
    parser.add_argument("records")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--threads", type=int, help="instead of PyTorch's default")
    parser.add_argument("--tuned", action="store_true")
    parser.add_argument("--fit", metavar="TEST")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def main():
    given = arguments()
    torch.manual_seed(given.seed)
    threads = given.threads or (2 if given.tuned else None)
    if threads:
        torch.set_num_threads(threads)
    fit(given) if given.fit else serve(given)


if __name__ == "__main__":
    main()
