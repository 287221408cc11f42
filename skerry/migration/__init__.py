"""From one configuration of a deployment to another: what stays, what is made, what is moved, what people do."""
