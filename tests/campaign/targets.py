"""Recipe of a zoo that is built in a second."""

RECIPE = """format = 1
id = "small-mlp-v1"
title = "five MLPs, three epochs"
license = "CC-BY-4.0"
models = 5
epochs = 3
seed = 7

[data]
source = "digits"

[architecture]
kind = "mlp"
widths = [196, 10, 10, 10]
activation = "sigmoid"

[training]
initialisation = "kaiming-normal"
loss = "mse"
optimizer = "sgd"
learning_rate = 0.03
momentum = 0.9
weight_decay = 3e-4
batch_size = 4
"""
