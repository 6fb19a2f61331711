package peers;

import java.time.Duration;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Produced;

/**
 * Kafka Streams, exactly-once v2: each item of one topic goes to another, decoded and encoded as for
 * any code that looks at it; with {@code bytes=true} it is passed on unseen, which is the least that
 * Kafka Streams can do.
 */
public final class Relay {
    public static void main(String[] arguments) throws InterruptedException {
        Settings settings = Settings.of(arguments);
        StreamsBuilder builder = new StreamsBuilder();
        if (settings.flag("bytes")) {
            relay(builder, settings, Serdes.ByteArray());
        } else {
            relay(builder, settings, Items.SERDE);
        }
        run(builder.build(), properties(settings));
    }

    private static <V> void relay(StreamsBuilder builder, Settings settings, Serde<V> serde) {
        builder.stream(settings.text("from"), Consumed.with(Serdes.ByteArray(), serde))
            .to(settings.text("to"), Produced.with(Serdes.ByteArray(), serde));
    }

    static Properties properties(Settings settings) {
        Properties properties = new Properties();
        properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, settings.text("servers"));
        properties.put(StreamsConfig.APPLICATION_ID_CONFIG, settings.text("group"));
        properties.put(StreamsConfig.STATE_DIR_CONFIG, settings.text("dir"));
        properties.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        properties.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, settings.number("commit"));
        properties.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, settings.number("threads"));
        properties.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
        // Larger polls and requests than the defaults, which are made for small records at rest.
        properties.put(StreamsConfig.BUFFERED_RECORDS_PER_PARTITION_CONFIG, 10_000);
        properties.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 10_000);
        properties.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
        properties.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), 1_000_000);
        properties.put(StreamsConfig.producerPrefix(ProducerConfig.BUFFER_MEMORY_CONFIG), 64 << 20);
        properties.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), 5);
        return properties;
    }

    static void run(Topology topology, Properties properties) throws InterruptedException {
        KafkaStreams streams = new KafkaStreams(topology, properties);
        streams.setUncaughtExceptionHandler(error -> {
            error.printStackTrace();
            Runtime.getRuntime().halt(1);
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        CountDownLatch closed = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            streams.close(Duration.ofSeconds(30));
            closed.countDown();
        }));
        streams.start();
        closed.await();
    }

    private Relay() {}
}
