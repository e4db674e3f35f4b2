"""Options whose defaults depend on the configuration; one that is not given leaves the choice to it."""

from pharmacell.core.options import options_of
from pharmacell.response.settings import ATSDPConfig, ConfigurationChoice, TransferConfig, instances_of
from pharmacell.training.settings import TrainingConfig

configuration_options = options_of(ConfigurationChoice)
network_options = options_of(ATSDPConfig, instances=instances_of("network"))
training_options = options_of(TrainingConfig, instances=instances_of("training"))
transfer_options = options_of(TransferConfig, instances=instances_of("transfer"))
