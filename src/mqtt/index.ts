/** Messages of an MQTT broker, acknowledged when their reader says so. */
export { openMqtt, type MqttConsumer, type MqttDelivery, type MqttOptions } from './open.ts';
