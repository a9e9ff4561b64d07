"""Test accuracy of exported checkpoints, in plain PyTorch: nothing here comes from tui-trainer.

tui-trainer study export evaluation-report -o handed-in --names fc1,fc2,fc3,fc4
python docs/evaluate_saved_model.py handed-in/saved_model path/to/MNIST/raw
"""

import argparse
import gzip
import re
from pathlib import Path

import numpy as np
import torch
from torch import nn


class MLP(nn.Module):
    """Four layers of weights with ReLU between them."""

    def __init__(self, sizes: list[int]) -> None:
        super().__init__()
        self.fc1 = nn.Linear(sizes[0], sizes[1])
        self.fc2 = nn.Linear(sizes[1], sizes[2])
        self.fc3 = nn.Linear(sizes[2], sizes[3])
        self.fc4 = nn.Linear(sizes[3], sizes[4])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in (self.fc1, self.fc2, self.fc3):
            x = torch.relu(layer(x))
        scores: torch.Tensor = self.fc4(x)
        return scores


def read_idx(folder: Path, name: str) -> np.ndarray:
    """An array of bytes from an IDX file, as published or unpacked: two zeros, type, rank, sizes, then the bytes."""
    packed = folder / f"{name}.gz"
    content = gzip.decompress(packed.read_bytes()) if packed.exists() else (folder / name).read_bytes()
    rank = content[3]
    shape = np.frombuffer(content, ">u4", count=rank, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(shape)


def number_in(path: Path) -> int:
    return int(re.findall(r"\d+", path.name)[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("saved_model", type=Path, help="the folder that holds setting_1, setting_2, …")
    parser.add_argument("mnist", type=Path, help="the folder that holds t10k-images-idx3-ubyte.gz")
    folders = parser.parse_args()
    images = torch.tensor(read_idx(folders.mnist, "t10k-images-idx3-ubyte")).flatten(1).float() / 255
    labels = torch.tensor(read_idx(folders.mnist, "t10k-labels-idx1-ubyte")).long()
    for setting in sorted(folders.saved_model.glob("setting_*"), key=number_in):
        for file in sorted(setting.glob("epoch_*.pth"), key=number_in):
            checkpoint = torch.load(file, weights_only=True)
            weights = [tensor for key, tensor in checkpoint["model_state_dict"].items() if key.endswith(".weight")]
            model = MLP([weights[0].shape[1], *(weight.shape[0] for weight in weights)])
            model.load_state_dict(checkpoint["model_state_dict"])
            model.eval()
            with torch.no_grad():
                correct = int((model(images).argmax(1) == labels).sum())
            accuracy = 100 * correct / len(labels)
            print(
                f"{setting.name}/{file.name}: epoch {checkpoint['epoch']}, accuracy {accuracy:.2f} %, {correct} right"
            )


if __name__ == "__main__":
    main()
